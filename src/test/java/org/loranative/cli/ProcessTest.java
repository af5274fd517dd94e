package org.loranative.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.image.Picture;
import org.loranative.io.AtomicFolders;
import org.loranative.testing.ChildJava;
import org.loranative.testing.TinyModel;

/** What only a process of its own shows: signals, limits of memory, exit codes. */
@Timeout(300) // where a signal does not arrive, as under nohup, a process would run for good
class ProcessTest {
  @TempDir private Path folder;

  private Process start(String shell, List<String> jvm, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of("bash", "-c", shell + " exec \"$@\"", "bash"));
    command.addAll(ChildJava.command(jvm, Main.class.getName(), arguments));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(folder.resolve("output").toFile())
        .start();
  }

  private String output() throws IOException {
    return Files.readString(folder.resolve("output"));
  }

  private String[] text(String... more) throws IOException {
    Files.writeString(
        folder.resolve("train.jsonl"), "{\"prompt\":\"what is 3? \",\"completion\":\"three\"}\n");
    List<String> all =
        new ArrayList<>(
            List.of(
                "train",
                "--set=base_model=" + TinyModel.write(folder.resolve("base")),
                "--set=metadata_path=" + folder.resolve("train.jsonl"),
                "--set=output_dir=" + folder.resolve("out"),
                "--set=device=cpu",
                "--set=threads=1"));
    for (String setting : more) {
      all.add("--set=" + setting);
    }
    return all.toArray(String[]::new);
  }

  /** Ctrl-C ends encoding, and keeps those that are done. */
  @Test
  void stopsWhileImagesAreEncoded() throws Exception {
    int images = 48;
    StringBuilder csv = new StringBuilder("filename,prompt\n");
    for (int i = 0; i < images; i++) {
      float[] rgb = new float[256 * 256 * 3];
      for (int k = 0; k < rgb.length; k++) {
        rgb[k] = (float) (0.5 + 0.5 * Math.sin(k / (i + 2.0)));
      }
      new Picture(256, 256, rgb).writePng(folder.resolve(i + ".png"));
      csv.append(i).append(".png,picture\n");
    }
    Files.writeString(folder.resolve("metadata.csv"), csv);
    Process run =
        start(
            "",
            List.of(),
            "train",
            "--set=task_type=sd",
            "--set=base_model=models/emoji-sd",
            "--set=metadata_path=" + folder,
            "--set=resolution=256",
            "--set=output_dir=" + folder.resolve("out"),
            "--set=threads=1",
            "--set=device=cpu");
    try {
      while (encoded() < 4 && run.isAlive()) {
        Thread.sleep(20);
      }
      interrupt(run);
      assertThat(run.waitFor()).as(output()).isEqualTo(130);
      assertThat(output()).contains("Stopping").containsPattern("train: Stopped.*--resume goes on");
      assertThat(encoded()).isBetween(4L, images - 1L);
    } finally {
      run.destroyForcibly();
    }
  }

  private void interrupt(Process run) throws Exception {
    new ProcessBuilder("kill", "-INT", String.valueOf(run.pid())).start().waitFor();
  }

  private void await(Process run, Callable<Boolean> what) throws Exception {
    while (run.isAlive() && !what.call()) {
      Thread.sleep(20);
    }
    assertThat(run.isAlive()).as(output()).isTrue();
  }

  /** A step of hundreds of micro-batches is given up; the run goes on from the step before. */
  @Tag("slow")
  @Test
  void stopsWithinAStep() throws Exception {
    int microBatches = 200, steps = 2;
    String[] arguments =
        text(
            "max_steps=" + steps,
            "batch_size=1",
            "gradient_accumulation=" + microBatches,
            "save_steps=1000");
    List<String> records = new ArrayList<>();
    for (int i = 0; i < microBatches * steps; i++) {
      records.add("{\"prompt\":\"what is " + i + "? \",\"completion\":\"it is " + i + "\"}");
    }
    Files.write(folder.resolve("train.jsonl"), records);
    Process whole = start("", List.of(), arguments);
    assertThat(whole.waitFor()).as(output()).isZero();
    Path adapter = folder.resolve("out/adapter/adapter_model.safetensors");
    byte[] expected = Files.readAllBytes(adapter);
    AtomicFolders.delete(folder.resolve("out"));

    Process run = start("", List.of(), arguments);
    try {
      Path metrics = folder.resolve("out/logs/metrics.jsonl");
      await(run, () -> Files.exists(metrics) && !Files.readAllLines(metrics).isEmpty());
      interrupt(run);
      assertThat(run.waitFor()).as(output()).isEqualTo(130);
      assertThat(output()).contains("Stopped after step 1; --resume continues from step 1.");
    } finally {
      run.destroyForcibly();
    }
    List<String> again = new ArrayList<>(List.of(arguments));
    again.add("--resume");
    assertThat(start("", List.of(), again.toArray(String[]::new)).waitFor()).isZero();
    assertThat(Files.readAllBytes(adapter)).isEqualTo(expected);
  }

  /** A measurement is ended between two batches; the resumed run makes it, and knows no other. */
  @Tag("slow")
  @Test
  void stopsWithinAMeasurement() throws Exception {
    String[] arguments =
        text(
            "max_steps=3",
            "batch_size=1",
            "eval_steps=2",
            "save_steps=1000",
            "validation_path=" + folder.resolve("held-out.jsonl"));
    List<String> records = new ArrayList<>();
    for (int i = 0; i < 2000; i++) {
      records.add("{\"prompt\":\"what is " + i + "? \",\"completion\":\"it is " + i + "\"}");
    }
    Files.write(folder.resolve("train.jsonl"), records.subList(0, 3));
    Files.write(folder.resolve("held-out.jsonl"), records);
    Process whole = start("", List.of(), arguments);
    assertThat(whole.waitFor()).as(output()).isZero();
    Path adapter = folder.resolve("out/adapter/adapter_model.safetensors");
    Path metrics = folder.resolve("out/logs/metrics.jsonl");
    byte[] expected = Files.readAllBytes(adapter);
    List<Double> losses = validationLosses(metrics);
    assertThat(losses).hasSize(2);
    AtomicFolders.delete(folder.resolve("out"));

    Process run = start("", List.of(), arguments);
    try {
      await(run, () -> Files.exists(metrics) && !Files.readAllLines(metrics).isEmpty());
      Thread.sleep(300); // step 2 is one short record
      interrupt(run);
      assertThat(run.waitFor()).as(output()).isEqualTo(130);
      assertThat(output())
          .containsPattern( // on a fast machine perhaps the second
              "(?s)The measurement after step ([23]) was not finished.*"
                  + "Stopped after step \\1; --resume continues from step \\1\\.");
    } finally {
      run.destroyForcibly();
    }
    List<String> again = new ArrayList<>(List.of(arguments));
    again.add("--resume");
    assertThat(start("", List.of(), again.toArray(String[]::new)).waitFor()).isZero();
    assertThat(Files.readAllBytes(adapter)).isEqualTo(expected);
    assertThat(validationLosses(metrics)).isEqualTo(losses);
  }

  private static List<Double> validationLosses(Path metrics) throws IOException {
    List<Double> losses = new ArrayList<>();
    for (String line : Files.readAllLines(metrics)) {
      JsonNode loss = new ObjectMapper().readTree(line).path("val_loss");
      if (loss.isNumber()) {
        losses.add(loss.asDouble());
      }
    }
    return losses;
  }

  /** The second Ctrl-C ends what the first one cannot: here, waiting for a pipe's other end. */
  @Test
  void theSecondCtrlCEndsAtOnce() throws Exception {
    String[] arguments = text();
    Path data = folder.resolve("train.jsonl");
    Files.delete(data);
    new ProcessBuilder("mkfifo", data.toString()).start().waitFor();
    Process run = start("", List.of(), arguments);
    try {
      await(run, () -> output().contains("device:"));
      interrupt(run);
      await(run, () -> output().contains("Stopping; a second Ctrl-C ends at once"));
      interrupt(run);
      assertThat(run.waitFor()).as(output()).isEqualTo(130);
      assertThat(output()).doesNotContain("Stopped");
    } finally {
      run.destroyForcibly();
    }
  }

  private long encoded() throws IOException {
    Path cache = folder.resolve(".lora-native-cache");
    if (!Files.exists(cache)) {
      return 0;
    }
    try (Stream<Path> files = Files.list(cache)) {
      return files.filter(f -> f.toString().endsWith(".safetensors")).count();
    }
  }

  /**
   * A shell's limit holds: what fits it runs to its end, what does not is refused before step 1.
   */
  @Tag("slow")
  @Test
  void asksTheLimitThatHolds() throws Exception {
    String limit = "ulimit -v 2600000;";
    List<String> jvm =
        List.of("-Xmx256m", "-XX:ReservedCodeCacheSize=48m", "-XX:CompressedClassSpaceSize=48m");
    String[] arguments = text("lora_rank=128", "max_length=1024", "max_steps=2", "batch_size=160");
    String text = "three ".repeat(170);
    String record = "{\"prompt\":\"what is 3? \",\"completion\":\"" + text + "\"}\n";
    Files.writeString(folder.resolve("train.jsonl"), record);
    Process fits = start(limit, jvm, arguments);
    assertThat(fits.waitFor()).as(output()).isZero();
    assertThat(folder.resolve("out/adapter")).exists();

    AtomicFolders.delete(folder.resolve("out"));
    Files.writeString(folder.resolve("train.jsonl"), record.repeat(160));
    Process tooLarge = start(limit, jvm, arguments);
    assertThat(tooLarge.waitFor()).as(output()).isEqualTo(2);
    assertThat(output()).contains("but what ulimit -v leaves").doesNotContain("step 1");
  }

  /** A base that is overwritten under a run ends it with a sentence, not with SIGBUS. */
  @Tag("slow")
  @Test
  void theBaseShrinks() throws Exception {
    Process run = start("", List.of(), text("max_steps=1000000", "save_steps=0", "sample_steps=0"));
    try {
      Path metrics = folder.resolve("out/logs/metrics.jsonl");
      while (run.isAlive() && (!Files.exists(metrics) || Files.size(metrics) < 500)) {
        Thread.sleep(20);
      }
      try (FileChannel base =
          FileChannel.open(folder.resolve("base/model.safetensors"), StandardOpenOption.WRITE)) {
        base.truncate(4096);
      }
      assertThat(run.waitFor()).as(output()).isEqualTo(2);
      assertThat(output())
          .contains("model.safetensors was cut off, or could not be read on, while it was in use")
          .doesNotContain("SIGBUS");
    } finally {
      run.destroyForcibly();
    }
  }

  @Test
  void saysThatTheHeapIsTooSmall() throws Exception {
    Process run = start("", List.of("-Xmx80m"), text("lora_rank=3000", "max_steps=2"));
    assertThat(run.waitFor()).as(output()).isEqualTo(2);
    assertThat(output()).containsPattern("of Java's heap, which may have .*java -Xmx[0-9]+m");
  }
}
