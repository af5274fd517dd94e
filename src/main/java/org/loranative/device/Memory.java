package org.loranative.device;

import java.util.Objects;

/** One allocation on a device: an address, a length and the only right to free it. */
public final class Memory implements AutoCloseable {
  private final Device device;
  private final long address;
  private final long bytes;
  private boolean open = true;

  Memory(Device device, long address, long bytes) {
    this.device = device;
    this.address = address;
    this.bytes = bytes;
  }

  public long address() {
    assert open : "memory is used after it was freed";
    return address;
  }

  /** Address of byte {@code offset}, of which {@code length} bytes must lie within. */
  public long address(long offset, long length) {
    Objects.checkFromIndexSize(offset, length, bytes);
    return address() + offset;
  }

  public long bytes() {
    return bytes;
  }

  @Override
  public void close() {
    if (open) {
      open = false;
      device.check(LoraOps.ln_memory_free(device.handle(), address, bytes));
    }
  }
}
