package org.loranative.device;

/** A native call failed; the message is its sentence. */
public final class DeviceException extends RuntimeException {
  public DeviceException(String message) {
    super(message);
  }
}
