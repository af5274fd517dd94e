package org.loranative.io;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * Files that appear whole or not at all, whenever the process or the power ends: written beside
 * their place, synced, then renamed.
 */
public final class AtomicFiles {
  /** Tests write thousands of small files that no power cut has to spare. */
  private static final boolean UNSYNCED = Boolean.getBoolean("loranative.unsynced");

  private AtomicFiles() {}

  /** Writes a file's content. */
  public interface Writer {
    void write(OutputStream out) throws IOException;
  }

  /** Replaces {@code file}; on any failure the old content stays and the new is removed. */
  public static void write(Path file, Writer writer) throws IOException {
    Path target = file.toAbsolutePath();
    Files.createDirectories(target.getParent());
    Path temporary = target.resolveSibling("." + target.getFileName() + ".tmp");
    try {
      try (FileChannel channel =
          FileChannel.open(
              temporary,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.WRITE)) {
        OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel));
        writer.write(out);
        out.flush();
        sync(channel);
      }
      Files.move(
          temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      sync(target.getParent());
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  public static void writeString(Path file, String text) throws IOException {
    write(file, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
  }

  /** Brings a folder's entries to the disk: without it, a power cut may undo a rename. */
  static void sync(Path folder) throws IOException {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      sync(channel);
    }
  }

  private static void sync(FileChannel channel) throws IOException {
    if (!UNSYNCED) {
      channel.force(true);
    }
  }
}
