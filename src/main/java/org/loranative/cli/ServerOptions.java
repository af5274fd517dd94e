package org.loranative.cli;

import java.util.Optional;
import org.loranative.UserException;
import picocli.CommandLine.Option;

/** Where a server listens, and who may ask it. */
final class ServerOptions {
  @Option(
      names = "--port",
      paramLabel = "N",
      description = "0 for any; one that is in use gives way to the next that is free.")
  private Optional<Integer> port = Optional.empty();

  @Option(
      names = "--host",
      defaultValue = "127.0.0.1",
      description = "Default: ${DEFAULT-VALUE}. Others need --token.")
  private String host;

  @Option(names = "--token", description = "The secret that clients must send.")
  private Optional<String> token = Optional.empty();

  int port(int usual) {
    int wanted = port.orElse(usual);
    if (wanted < 0 || wanted > 65535) {
      throw new UserException("--port is " + wanted + ", but must be between 0 and 65535.");
    }
    return wanted;
  }

  /** What is printed where the port that was asked for is in use. */
  static void sayTaken(String what, int asked, int taken) {
    if (asked > 0 && taken != asked) {
      System.out.println("Port " + asked + " is in use; this " + what + " takes " + taken + ".");
    }
  }

  String host() {
    return host;
  }

  Optional<String> token() {
    if (token.isPresent() && !token.get().matches("[A-Za-z0-9._~-]{8,}")) {
      throw new UserException("--token must have at least 8 letters, digits or . _ ~ -");
    }
    return token;
  }
}
