package org.loranative.track;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.testing.Seeded;

/** Event files are read as they were written, by whomever, also while they grow or are damaged. */
@ExtendWith(Seeded.class)
class RecordedRunTest {
  private static final Path FOREIGN = Path.of("src/test/resources/events");

  @TempDir private Path folder;

  private Path onlyFile() throws IOException {
    try (var files = Files.list(folder)) {
      return files.filter(RecordedRun::isEventFile).findFirst().orElseThrow();
    }
  }

  @Test
  void readsWhatTheBoardWrites() throws IOException {
    try (TensorBoard board = new TensorBoard(folder, 1)) {
      board.hyperparameters(Map.of("lora_rank", 8, "flip", true, "device", "cpu"), List.of());
      for (int i = 1; i <= 30; i++) {
        board.scalars(i, Map.of("Loss/train", 5.0 / i, "lr", 1e-3));
      }
      board.text(4, "samples/1", "**hi**");
      board.restart(21);
      board.scalars(21, Map.of("Loss/train", 9.0));
    }
    RecordedRun run = new RecordedRun(folder).readAll();
    assertThat(run.isComplete()).isTrue();
    assertThat(run.tags()).containsExactly("Loss/train", "lr");
    Scalars loss = run.scalars("Loss/train");
    assertThat(loss.size()).as("twenty, and one after the restart").isEqualTo(21);
    assertThat(loss.value(20)).isEqualTo(9);
    assertThat(loss.step(20)).isEqualTo(21);
    assertThat(run.scalars("lr").size()).isEqualTo(20);
    assertThat(run.texts().get("samples/1")).containsExactly(new RecordedRun.Text(4, "**hi**"));
    assertThat(run.settings())
        .containsEntry("lora_rank", "8")
        .containsEntry("flip", "true")
        .containsEntry("device", "cpu");
  }

  @Test
  void readsPyTorchsFiles() throws IOException {
    RecordedRun run = new RecordedRun(FOREIGN.resolve("torch.tfevents")).readAll();
    assertThat(run.damage()).isEmpty();
    Scalars loss = run.scalars("loss/current");
    assertThat(loss.size()).isEqualTo(41);
    assertThat(loss.value(1)).isCloseTo(0.125, org.assertj.core.data.Offset.offset(1e-7));
    assertThat(loss.value(40)).isNaN();
    assertThat(loss.wall(0)).isGreaterThan(1.7e9);
    assertThat(run.texts().get("prompt").get(0).text()).isEqualTo("a **red** star");
    RecordedRun.ImageAt place = run.images().get("sample").get(0);
    BufferedImage image =
        ImageIO.read(new ByteArrayInputStream(RecordedRun.image(place, "sample")));
    assertThat(image.getRGB(1, 0) & 0xffffff).isEqualTo(0x030405);
    assertThat(new RecordedRun(FOREIGN.resolve("torch-hparams.tfevents")).readAll().settings())
        .containsEntry("lr", "1.0E-4")
        .containsEntry("network_dim", "8")
        .containsEntry("flip", "1") // PyTorch takes it for a number
        .containsEntry("name", "x");
  }

  /** However a growing file is cut into pieces, every point comes once. */
  @Test
  void readsAFileThatGrowsByAnyPieces(Random random) throws IOException {
    try (TensorBoard board = new TensorBoard(folder, 1)) {
      for (int i = 1; i <= 200; i++) {
        board.scalars(i, Map.of("x", (double) i));
      }
    }
    byte[] whole = Files.readAllBytes(onlyFile());
    Path growing = Files.createDirectory(folder.resolve("run")).resolve("events.out.tfevents.1");
    Files.write(growing, new byte[0]);
    RecordedRun run = new RecordedRun(growing.getParent());
    int written = 0;
    while (written < whole.length) {
      written = Math.min(whole.length, written + 1 + random.nextInt(400));
      Files.write(growing, Arrays.copyOf(whole, written));
      run.readAll();
      assertThat(run.damage()).isEmpty();
    }
    List<Long> steps = new ArrayList<>();
    for (int i = 0; i < run.scalars("x").size(); i++) {
      steps.add(run.scalars("x").step(i));
    }
    assertThat(steps).hasSize(200).isSorted().doesNotHaveDuplicates();
  }

  /** A damaged file gives what is before the damage, and says so. */
  @Test
  void stopsAtDamage(Random random) throws IOException {
    byte[] whole = Files.readAllBytes(FOREIGN.resolve("torch.tfevents"));
    int sound =
        new RecordedRun(FOREIGN.resolve("torch.tfevents")).readAll().scalars("loss/current").size();
    for (int trial = 0; trial < 300; trial++) {
      byte[] bad = whole.clone();
      if (trial % 3 == 0) {
        bad = Arrays.copyOf(bad, random.nextInt(bad.length));
      } else {
        for (int i = 0; i <= trial % 5; i++) {
          bad[random.nextInt(bad.length)] ^= (byte) (1 + random.nextInt(255));
        }
      }
      Path file = folder.resolve("events.out.tfevents." + trial);
      Files.write(file, bad);
      RecordedRun run = new RecordedRun(file).readAll();
      assertThat(run.scalars("loss/current").size()).isLessThanOrEqualTo(sound);
      if (trial % 3 != 0) {
        assertThat(run.damage()).as("a changed byte").hasSize(1);
      }
    }
  }

  private void session(String name, int from, int to, double value) throws IOException {
    Path elsewhere =
        Files.createDirectories(folder.resolveSibling(folder.getFileName() + "-" + name));
    try (TensorBoard board = new TensorBoard(elsewhere, from)) {
      for (int i = from; i <= to; i++) {
        board.scalars(i, Map.of("Loss/train", value));
      }
    }
    try (var files = Files.list(elsewhere)) {
      Files.move(files.findFirst().orElseThrow(), folder.resolve(name));
    }
  }

  /**
   * Files that were written while the clock was set back say themselves in which order they are.
   */
  @Test
  void sessionsAreReadInTheOrderOfTheirSteps() throws IOException {
    session("events.out.tfevents.3000.1.x", 1, 60, 3);
    session("events.out.tfevents.2000.1.x", 91, 120, 1);
    session("events.out.tfevents.1000.1.x", 51, 100, 2);
    Scalars loss = new RecordedRun(folder).readAll().scalars("Loss/train");
    assertThat(loss.size()).isEqualTo(120);
    for (int i = 0; i < 120; i++) {
      assertThat(loss.step(i)).isEqualTo(i + 1);
      assertThat(loss.value(i)).isEqualTo(i < 50 ? 3 : i < 90 ? 2 : 1);
    }
  }

  /** Also where a run that was resumed further back has names in order. */
  @Test
  void namesInOrderAreKept() throws IOException {
    session("events.out.tfevents.1000.1.x", 1, 60, 3);
    session("events.out.tfevents.2000.1.x", 51, 70, 2);
    session("events.out.tfevents.3000.1.x", 31, 40, 1);
    Scalars loss = new RecordedRun(folder).readAll().scalars("Loss/train");
    assertThat(loss.size()).isEqualTo(40);
    assertThat(loss.value(39)).isEqualTo(1);
  }

  @Test
  void aFileThatWasCutOrReplacedIsReadAnew() throws IOException {
    session("events.out.tfevents.1000.1.x", 1, 60, 3);
    RecordedRun run = new RecordedRun(folder).readAll();
    assertThat(run.scalars("Loss/train").size()).isEqualTo(60);
    Path file = onlyFile();
    session("events.out.tfevents.2000.1.x", 1, 90, 1); // longer, under the same name
    Files.write(file, Files.readAllBytes(folder.resolve("events.out.tfevents.2000.1.x")));
    Files.delete(folder.resolve("events.out.tfevents.2000.1.x"));
    Scalars loss = run.readAll().scalars("Loss/train");
    assertThat(loss.size()).isEqualTo(90);
    assertThat(loss.values()).containsOnly(1);
    try (FileChannel cut = FileChannel.open(file, StandardOpenOption.WRITE)) {
      cut.truncate(cut.size() / 2);
    }
    assertThat(run.readAll().scalars("Loss/train").size()).isBetween(30, 60);
  }

  @Test
  void aCopyOfAnEmptyCurveGrows() {
    Scalars copy = new Scalars().copy();
    copy.add(1, 2.5, 0);
    assertThat(copy.size()).isEqualTo(1);
    assertThat(copy.value(0)).isEqualTo(2.5);
  }
}
