package org.loranative.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import javax.imageio.stream.ImageInputStreamImpl;

/** A file for decoders. One that asks again and again behind its end is stopped. */
final class GuardedFile extends ImageInputStreamImpl {
  private static final int PATIENCE = 200_000;
  private static final int WORD = 8;

  private final FileChannel channel;
  private final long length;
  private final ByteBuffer window = ByteBuffer.allocate(1 << 16).limit(0);
  private long windowAt;
  private int beyond;

  GuardedFile(Path file) throws IOException {
    channel = FileChannel.open(file);
    length = channel.size();
  }

  /** Not an EOFException: decoders catch that, and go on for every pixel that is left. */
  private void atEnd() {
    if (++beyond > PATIENCE) {
      throw new IllegalStateException("it ends too early");
    }
  }

  /** Brings the stream's position into the window; false behind the end. */
  private boolean fill() throws IOException {
    if (streamPos >= length) {
      atEnd();
      return false;
    }
    if (streamPos < windowAt || streamPos >= windowAt + window.limit()) {
      window.clear();
      windowAt = streamPos;
      int n = channel.read(window, windowAt);
      window.limit(Math.max(0, n));
      if (n <= 0) {
        throw new IOException("the file became shorter while it was read");
      }
    }
    window.position((int) (streamPos - windowAt));
    return true;
  }

  @Override
  public long length() {
    return length;
  }

  @Override
  public int read() throws IOException {
    checkClosed();
    bitOffset = 0;
    if (!fill()) {
      return -1;
    }
    streamPos++;
    return window.get() & 255;
  }

  @Override
  public int read(byte[] to, int offset, int count) throws IOException {
    checkClosed();
    bitOffset = 0;
    if (count == 0) {
      return 0;
    }
    if (!fill()) {
      return -1;
    }
    int n = Math.min(count, window.remaining());
    window.get(to, offset, n);
    streamPos += n;
    return n;
  }

  @Override
  public void seek(long position) throws IOException {
    if (position > length - WORD) {
      atEnd();
    }
    super.seek(position);
  }

  @Override
  public void close() throws IOException {
    super.close();
    channel.close();
  }
}
