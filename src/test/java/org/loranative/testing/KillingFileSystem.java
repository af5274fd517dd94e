package org.loranative.testing;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.CopyOption;
import java.nio.file.FileSystems;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.lucene.tests.mockfile.FilterFileChannel;
import org.apache.lucene.tests.mockfile.FilterFileSystemProvider;

/**
 * The machine's file system, for a process that is killed when it has changed so much of it: each
 * call that creates, writes, syncs, renames or deletes is a step, and after the last one that is
 * allowed nothing changes any more. Event files do not count: a thread of its own writes them.
 */
public final class KillingFileSystem extends FilterFileSystemProvider {
  private final int last;
  private int steps;

  /** Thrown instead of the step after the last, and of all later ones. */
  public static final class Killed extends Error {
    private Killed(String where) {
      super(where);
    }
  }

  /**
   * @param last step that is done
   */
  public KillingFileSystem(int last) {
    super("kill://", FileSystems.getDefault());
    this.last = last;
  }

  /** The path as the doomed process sees it. */
  public Path path(Path real) {
    return wrapPath(real);
  }

  /** Steps done or refused. */
  public int steps() {
    return steps;
  }

  private void step(Path path) {
    if (path.toString().contains("tfevents")) {
      return;
    }
    if (++steps > last) {
      throw new Killed("before step " + steps + ", at " + path);
    }
  }

  @Override
  public void createDirectory(Path dir, FileAttribute<?>... attributes) throws IOException {
    step(dir);
    super.createDirectory(dir, attributes);
  }

  @Override
  public void delete(Path path) throws IOException {
    step(path);
    super.delete(path);
  }

  @Override
  public boolean deleteIfExists(Path path) throws IOException {
    step(path);
    return super.deleteIfExists(path);
  }

  @Override
  public void move(Path from, Path to, CopyOption... options) throws IOException {
    step(from);
    super.move(from, to, options);
  }

  @Override
  public void copy(Path from, Path to, CopyOption... options) throws IOException {
    step(to);
    super.copy(from, to, options);
  }

  @Override
  public OutputStream newOutputStream(Path path, OpenOption... options) throws IOException {
    Set<OpenOption> all = new HashSet<>(List.of(options));
    if (all.isEmpty()) {
      all.addAll(List.of(StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING));
    }
    all.add(StandardOpenOption.WRITE);
    return Channels.newOutputStream(newFileChannel(path, all));
  }

  @Override
  public SeekableByteChannel newByteChannel(
      Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
      throws IOException {
    return newFileChannel(path, options, attributes);
  }

  @Override
  public FileChannel newFileChannel(
      Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
      throws IOException {
    if (options.contains(StandardOpenOption.WRITE) || options.contains(StandardOpenOption.APPEND)) {
      step(path);
    }
    return new FilterFileChannel(super.newFileChannel(path, options, attributes)) {
      @Override
      public int write(ByteBuffer source) throws IOException {
        step(path);
        return super.write(source);
      }

      @Override
      public void force(boolean metaData) throws IOException {
        step(path); // that the process is killed does not need the disk
      }

      @Override
      public FileChannel truncate(long size) throws IOException {
        step(path);
        return super.truncate(size);
      }
    };
  }
}
