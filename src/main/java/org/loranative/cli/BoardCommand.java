package org.loranative.cli;

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
import picocli.CommandLine.Parameters;

/** {@code lora-native board}. */
@Command(
    name = "board",
    description =
        "Show runs in the browser, live: curves, findings, pictures, settings. Port 6006; with"
            + " --token the page opens with ?token=SECRET.",
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

  @Override
  public Integer call() throws InterruptedException {
    for (Path folder : folders) {
      if (Files.exists(folder) && !Files.isDirectory(folder)) {
        throw new UserException(folder + " is no folder; name one that holds runs.");
      }
    }
    int port = server.port(PORT);
    Optional<String> token = server.token();
    try (Board board = new Board(folders, server.host(), port, token)) {
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
}
