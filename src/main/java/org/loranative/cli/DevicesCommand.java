package org.loranative.cli;

import java.util.concurrent.Callable;
import org.loranative.train.machine.Devices;
import picocli.CommandLine.Command;

/** {@code lora-native devices}. */
@Command(
    name = "devices",
    description = "Show what can be trained on, and why a card is not usable.",
    mixinStandardHelpOptions = true)
final class DevicesCommand implements Callable<Integer> {
  @Override
  public Integer call() {
    Devices.describe().forEach(System.out::println);
    return 0;
  }
}
