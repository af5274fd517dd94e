package org.loranative.config;

/** How a configuration or a command names the device to compute on. */
public final class DeviceName {
  /** What a name may be, for a sentence. */
  public static final String CHOICES =
      "one of auto, cpu, cuda, cuda:N (a card by its number in lora-native devices), cuda-emu";

  static final String PATTERN = "auto|cpu|(cuda|cuda-emu)(:[0-9]{1,3})?";

  private DeviceName() {}

  public static boolean isKnown(String name) {
    return name.matches(PATTERN);
  }
}
