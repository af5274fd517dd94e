package org.loranative.cli;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.loranative.UserException;
import org.loranative.board.Board;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lora-native board}. */
@Command(
    name = "board",
    description =
        "Show runs in the browser, live, and start, stop and queue them. Port 6006; with --token"
            + " the page opens with ?token=SECRET.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Reads event files of other tools too. From another machine:",
      "  ssh -L 6006:127.0.0.1:6006 MACHINE     then open http://127.0.0.1:6006/"
    })
final class BoardCommand implements Callable<Integer> {
  private static final int PORT = 6006;

  @Parameters(
      paramLabel = "DIR",
      arity = "1..*",
      description =
          "Folders of runs; every folder below that holds event files is one. A folder that does"
              + " not exist yet is waited for.")
  private List<Path> folders;

  @Mixin private ServerOptions server;

  @Option(
      names = "--read-only",
      description = "Do not let the page start or stop runs, or keep notes.")
  private boolean readOnly;

  @Option(
      names = "--webhook",
      paramLabel = "URL",
      description = "Is sent JSON when a run ends and when the doctor finds something.")
  private Optional<URI> webhook = Optional.empty();

  @Override
  public Integer call() throws InterruptedException {
    for (Path folder : folders) {
      if (Files.exists(folder) && !Files.isDirectory(folder)) {
        throw new UserException(folder + " is no folder; name one that holds runs.");
      }
    }
    int port = server.port(PORT);
    Optional<String> token = server.token();
    Board.Options options =
        new Board.Options(folders, server.host(), port, token, readOnly, webhook());
    try (Board board = new Board(options)) {
      ServerOptions.sayTaken("board", port, board.address().getPort());
      folders.stream()
          .filter(folder -> !Files.exists(folder))
          .map(folder -> folder + " does not exist yet; its runs appear once it does.")
          .forEach(System.out::println);
      System.out.println("Board: " + board.address() + (token.isPresent() ? "?token=…" : ""));
      System.out.println("Ctrl-C ends it.");
      new CountDownLatch(1).await();
    }
    return 0;
  }

  private Optional<URI> webhook() {
    webhook
        .filter(u -> !String.valueOf(u.getScheme()).matches("https?") || u.getHost() == null)
        .ifPresent(
            u -> {
              throw new UserException(
                  "--webhook " + u + " is no address such as https://example.org/hook.");
            });
    return webhook;
  }
}
