package org.loranative.device;

import java.util.Map;
import org.loranative.UserException;

/** A place where plans run. Addresses are 64-bit integers that only this device understands. */
public interface Device extends AutoCloseable {
  /** {@code cpu}, {@code cuda} … as in the configuration. */
  String name();

  /** One line for a person: what it is and how it computes. */
  String description();

  /** The handle that every op of {@code LoraOps} takes first. */
  long handle();

  /** What the device and the system say of its state now, by TensorBoard tag; may be empty. */
  Map<String, Double> sensors();

  /** Memory that can be had now, in bytes. */
  long freeBytes();

  /** Whether all that Java's heap may have must find room in {@link #freeBytes}. */
  default boolean freeIsStrict() {
    return false;
  }

  /** What sets {@link #freeBytes}, for people. */
  default String freeLimit() {
    return "the free memory";
  }

  /**
   * Zeroed memory; the caller closes it.
   *
   * @throws UserException if there is not enough, since something else took it after the run was
   *     planned
   */
  default Memory allocate(long bytes) {
    long[] address = new long[1];
    int status = LoraOps.ln_memory_allocate(handle(), bytes, address);
    if (status == LoraOps.LN_OUT_OF_MEMORY) {
      throw new UserException(
          name()
              + " is out of memory: "
              + failure()
              + ". Something else took memory since the run was planned; end it, or set"
              + " memory_budget below what is left (lora-native plan shows the table).");
    }
    check(status);
    return new Memory(this, address[0], bytes);
  }

  /** Copies {@code bytes} from {@code from} to the device address {@code to}. */
  default void upload(long to, HostBuffer from, long bytes) {
    check(LoraOps.ln_memory_upload(handle(), to, from.address(0, bytes), bytes));
  }

  /** Copies {@code bytes} from the host address {@code from}: a mapped file, or a CPU's memory. */
  default void upload(long to, long from, long bytes) {
    check(LoraOps.ln_memory_upload(handle(), to, from, bytes));
  }

  /** Copies {@code bytes} from the device address {@code from}. */
  default void download(HostBuffer to, long from, long bytes) {
    check(LoraOps.ln_memory_download(handle(), to.address(0, bytes), from, bytes));
  }

  /** Copies within the device, in order with the ops. */
  default void copy(long to, long from, long bytes) {
    check(LoraOps.ln_memory_copy(handle(), to, from, bytes));
  }

  /** Host memory that the device copies from directly; the caller closes it before the device. */
  default HostBuffer pinned(long bytes) {
    long[] address = new long[1];
    check(LoraOps.ln_host_allocate(handle(), bytes, address));
    return HostBuffer.at(
        address[0], bytes, () -> check(LoraOps.ln_host_free(handle(), address[0], bytes)));
  }

  /**
   * Copies {@code bytes} of {@link #pinned} memory beside the ops that run now; ops after {@link
   * #join} see them. Until those have run, neither side may be touched.
   */
  default void uploadAhead(long to, HostBuffer from, long offset, long bytes) {
    check(LoraOps.ln_memory_ahead(handle(), to, from.address(offset, bytes), bytes));
  }

  /** Lets the ops that follow wait for {@link #uploadAhead}. */
  default void join() {
    check(LoraOps.ln_memory_join(handle()));
  }

  /** Waits for all that was asked of the device. */
  default void await() {
    check(LoraOps.ln_device_wait(handle()));
  }

  /** While {@code on}, a kernel that faults is named. This is slow. */
  default void watch(boolean on) {
    check(LoraOps.ln_device_watch(handle(), on ? 1 : 0));
  }

  /** Whether ops can be captured once and launched together. */
  boolean captures();

  /** Sets every byte. */
  default void fill(long address, int value, long bytes) {
    check(LoraOps.ln_memory_fill(handle(), address, value, bytes));
  }

  /** Whether frozen weights may stay where a file is mapped. */
  boolean readsHostMemory();

  /** Bytes of scratch that libraries behind this device have allocated on their own. */
  long libraryBytes();

  /** Throws the native code's sentence if {@code status} is not 0. */
  default void check(int status) {
    if (status != LoraOps.LN_OK) {
      throw new DeviceException(failure());
    }
  }

  /** The native code's sentence about what failed last. */
  default String failure() {
    return LoraOps.ln_last_error().getString();
  }

  @Override
  void close();
}
