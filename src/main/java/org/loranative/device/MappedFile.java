package org.loranative.device;

import java.nio.file.Path;
import org.loranative.UserException;

/** A whole file mapped read-only; pages are read when touched. */
public final class MappedFile implements AutoCloseable {
  private final Path file;
  private final long address;
  private final long bytes;

  public MappedFile(Path file) {
    this.file = file;
    CpuDevice.load();
    long[] at = new long[1];
    long[] length = new long[1];
    if (LoraOps.ln_file_map(file.toString(), at, length) != LoraOps.LN_OK) {
      throw new UserException(LoraOps.ln_last_error().getString());
    }
    address = at[0];
    bytes = length[0];
  }

  /** Address of byte {@code offset}, of which {@code length} bytes must be in the file. */
  public long address(long offset, long length) {
    if (offset < 0 || length < 0 || offset > bytes - length) {
      throw new UserException("A file changed while it was read.");
    }
    return address + offset;
  }

  /**
   * To be called after pages were read and before what they gave is used.
   *
   * @throws UserException if some were not there any more and zeros were read in their place
   */
  public void requireWhole() {
    if (LoraOps.ln_file_check(address) != LoraOps.LN_OK) {
      throw new UserException(
          file
              + " was cut off, or could not be read on, while it was in use: was it downloaded or"
              + " checked out again, or its disk lost? Bring it back as it was; train --resume then"
              + " goes on from the last checkpoint.");
    }
  }

  /** Gives back the memory of a range that has been read; it may be read again. */
  public void release(long offset, long length) {
    if (LoraOps.ln_file_release(address(offset, length), length) != LoraOps.LN_OK) {
      throw new DeviceException(LoraOps.ln_last_error().getString());
    }
  }

  @Override
  public void close() {
    LoraOps.ln_file_unmap(address, bytes);
  }
}
