package org.loranative.config;

/** How a configuration or a command names the device to compute on. */
public final class DeviceName {
  /** What a name may be, for a sentence. */
  public static final String CHOICES =
      "one of auto, cpu, cuda, cuda:N (a card by its number in lora-native devices), cuda-emu";

  private DeviceName() {}

  public static boolean isKnown(String name) {
    return name.matches("auto|cpu|(cuda|cuda-emu)(:\\d{1,3})?");
  }
}
