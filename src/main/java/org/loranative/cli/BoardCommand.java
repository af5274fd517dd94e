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
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lora-native board}. */
@Command(
    name = "board",
    description = "Show runs in the browser, live: curves, findings, pictures, settings.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Reads event files of other tools too. From another machine:",
      "  ssh -L 6006:127.0.0.1:6006 MACHINE     then open http://127.0.0.1:6006/"
    })
final class BoardCommand implements Callable<Integer> {
  @Parameters(
      paramLabel = "DIR",
      arity = "1..*",
      description =
          "Folders of runs; every folder below that holds event files is one. A folder that does"
              + " not exist yet is waited for.")
  private List<Path> folders;

  @Option(
      names = "--port",
      defaultValue = "6006",
      description = "Default: ${DEFAULT-VALUE}; if it is in use, the next that is free.")
  private int port;

  @Option(
      names = "--host",
      defaultValue = "127.0.0.1",
      description = "Default: ${DEFAULT-VALUE}. Others need --token.")
  private String host;

  @Option(
      names = "--token",
      description = "What a browser must know: it opens the page with ?token=SECRET.")
  private Optional<String> token;

  @Override
  public Integer call() throws InterruptedException {
    for (Path folder : folders) {
      if (Files.exists(folder) && !Files.isDirectory(folder)) {
        throw new UserException(folder + " is no folder; name one that holds runs.");
      }
    }
    if (port < 0 || port > 65535) {
      throw new UserException("--port is " + port + ", but must be between 0 and 65535.");
    }
    if (token.isPresent() && !token.get().matches("[A-Za-z0-9._~-]{8,}")) {
      throw new UserException("--token must have at least 8 letters, digits or . _ ~ -");
    }
    try (Board board = new Board(folders, host, port, token)) {
      int taken = board.address().getPort();
      if (port > 0 && taken != port) {
        System.out.println("Port " + port + " is in use; this board takes " + taken + ".");
      }
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
