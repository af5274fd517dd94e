package org.loranative.track;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.lucene.tests.mockfile.FilterFileChannel;
import org.apache.lucene.tests.mockfile.FilterFileSystemProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is written step by step outlives a full disk: nothing is lost, nothing is half. */
class FullDiskTest {
  @TempDir private Path folder;

  /** A disk on which so many bytes have room. */
  private static final class Disk extends FilterFileSystemProvider {
    private volatile long room = Long.MAX_VALUE;

    Disk() {
      super("full://", FileSystems.getDefault());
    }

    @Override
    public FileChannel newFileChannel(
        Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
        throws IOException {
      return new FilterFileChannel(super.newFileChannel(path, options, attributes)) {
        @Override
        public int write(ByteBuffer source) throws IOException {
          if (room == 0) {
            throw new IOException("No space left on device");
          }
          int n = (int) Math.min(room, source.remaining());
          room -= n;
          ByteBuffer part = source.duplicate().limit(source.position() + n);
          source.position(source.position() + n);
          return super.write(part);
        }
      };
    }
  }

  @Test
  void metricsWaitForRoom() throws IOException {
    Disk disk = new Disk();
    Path file = folder.resolve("metrics.jsonl");
    try (MetricsLog metrics = new MetricsLog(disk.wrapPath(file), 0)) {
      metrics.write(Map.of("step", 1));
      disk.room = 5; // half a line
      metrics.write(Map.of("step", 2));
      metrics.write(Map.of("step", 3));
      assertThat(Files.readString(file)).isEqualTo("{\"step\":1}\n");
      disk.room = Long.MAX_VALUE;
      metrics.write(Map.of("step", 4));
    }
    assertThat(Files.readAllLines(file))
        .containsExactly("{\"step\":1}", "{\"step\":2}", "{\"step\":3}", "{\"step\":4}");
  }

  @Test
  void eventFilesStayReadable() throws Exception {
    Disk disk = new Disk();
    try (TensorBoard board = new TensorBoard(disk.wrapPath(folder), 1)) {
      board.scalars(1, Map.of("Loss/train", 5.0));
      Thread.sleep(200); // its thread writes
      disk.room = 7;
      board.scalars(2, Map.of("Loss/train", 4.0));
      Thread.sleep(200);
      disk.room = Long.MAX_VALUE;
      board.scalars(3, Map.of("Loss/train", 3.0));
    }
    RecordedRun run = new RecordedRun(folder).readAll();
    assertThat(run.damage()).isEmpty();
    assertThat(run.scalars("Loss/train").values()).containsExactly(5, 4, 3);
  }

  /** What another wrote into the file, or a crash left there. */
  @Test
  void damagedLinesAreCutBehindTheStep() throws IOException {
    Path file = folder.resolve("metrics.jsonl");
    Files.write(file, "{\"step\":1}\n{\"step\":2}\n\u00ff\u00fe\n{\"st".getBytes("ISO-8859-1"));
    try (MetricsLog metrics = new MetricsLog(file, 2)) {
      metrics.write(Map.of("step", 3));
    }
    assertThat(Files.readAllLines(file))
        .isEqualTo(List.of("{\"step\":1}", "{\"step\":2}", "{\"step\":3}"));
  }
}
