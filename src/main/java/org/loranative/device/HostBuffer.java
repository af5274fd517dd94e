package org.loranative.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Objects;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;

/** Native host memory with a {@link ByteBuffer} view: what is copied to and from a device. */
public final class HostBuffer implements AutoCloseable {
  private final BytePointer pointer;
  private final ByteBuffer view;
  private final Runnable free;

  public HostBuffer(long bytes) {
    this(new BytePointer(Math.max(bytes, 1)));
  }

  private HostBuffer(BytePointer pointer) {
    this(pointer, pointer::deallocate);
  }

  private HostBuffer(BytePointer pointer, Runnable free) {
    this.pointer = pointer;
    this.view = pointer.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    this.free = free;
  }

  /** Memory that somebody else allocated and frees. */
  static HostBuffer at(long address, long bytes, Runnable free) {
    return new HostBuffer(new Borrowed(address, bytes), free);
  }

  private static final class Borrowed extends BytePointer {
    Borrowed(long address, long bytes) {
      super((Pointer) null);
      this.address = address;
      this.limit = bytes;
      this.capacity = bytes;
    }
  }

  public long address() {
    return pointer.address();
  }

  /** The whole buffer, little-endian, position 0. */
  public ByteBuffer view() {
    return view.duplicate().order(ByteOrder.LITTLE_ENDIAN);
  }

  /** {@code length} bytes from {@code offset} on, little-endian, which must lie within. */
  public ByteBuffer view(long offset, long length) {
    Objects.checkFromIndexSize(offset, length, pointer.capacity());
    return view.slice(Math.toIntExact(offset), Math.toIntExact(length))
        .order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Address of byte {@code offset}, of which {@code length} bytes must lie within. */
  long address(long offset, long length) {
    Objects.checkFromIndexSize(offset, length, pointer.capacity());
    return address() + offset;
  }

  @Override
  public void close() {
    free.run();
  }
}
