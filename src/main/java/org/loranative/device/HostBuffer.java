package org.loranative.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bytedeco.javacpp.BytePointer;

/** Native host memory with a {@link ByteBuffer} view: what is copied to and from a device. */
public final class HostBuffer implements AutoCloseable {
  private final BytePointer pointer;
  private final ByteBuffer view;

  public HostBuffer(long bytes) {
    pointer = new BytePointer(Math.max(bytes, 1));
    view = pointer.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
  }

  public long address() {
    return pointer.address();
  }

  /** The whole buffer, little-endian, position 0. */
  public ByteBuffer view() {
    return view.duplicate().order(ByteOrder.LITTLE_ENDIAN);
  }

  @Override
  public void close() {
    pointer.deallocate();
  }
}
