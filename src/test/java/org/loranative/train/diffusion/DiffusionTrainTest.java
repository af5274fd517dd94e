package org.loranative.train.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.loranative.UserException;
import org.loranative.image.Picture;
import org.loranative.io.AtomicFolders;
import org.loranative.lora.AdaptedLayer;
import org.loranative.lora.LoraFiles;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.families.DiffusionFamilies;
import org.loranative.random.Philox;
import org.loranative.testing.Errors;
import org.loranative.testing.TensorFiles;

/** Whole runs on a thin copy of the demo model: images in, adapter out. */
class DiffusionTrainTest extends DemoRuns {
  @Test
  void resumesToTheBit() throws IOException {
    String[] settings = {
      "lora_dropout=0.1",
      "noise_offset=0.05",
      "min_snr_gamma=5",
      "caption_dropout=0.3",
      "eval_steps=3"
    };
    Path whole = train("whole", false, settings).orElseThrow();
    assertThat(whole).isEqualTo(folder.resolve("whole/lora.safetensors"));
    train("cut", false, settings);
    AtomicFolders.delete(folder.resolve("cut/checkpoint-6"));
    Files.delete(folder.resolve("cut/lora.safetensors"));
    Path resumed = train("cut", true, settings).orElseThrow();
    assertThat(losses("cut")).hasSize(6).isEqualTo(losses("whole"));
    assertThat(Files.readAllBytes(resumed)).isEqualTo(Files.readAllBytes(whole));
  }

  @ParameterizedTest
  @CsvSource({"kohya, 56", "diffusers, 56"})
  void writesWhatOthersRead(String format, int layers) throws IOException {
    Path file =
        train(
                format,
                false,
                "export_format=" + format,
                "output_name=style",
                "loss=huber",
                "debiased_estimation=true",
                "min_timestep=100",
                "max_timestep=900",
                "sample_steps=6",
                "sample_prompts=[red heart]")
            .orElseThrow();
    assertThat(file.getFileName()).hasToString("style.safetensors");
    DiffusionBase model = DiffusionFamilies.open(base);
    var modules = LoraFiles.read(file, model.layers());
    assertThat(modules).hasSize(layers);
    assertThat(modules.values()).allMatch(m -> m.rank() == 3 && m.alpha() == 3);
    assertThat(LoraFiles.metadata(file)).containsEntry("ss_base_model_version", "sd_v1");
    assertThat(Picture.read(folder.resolve(format + "/samples/000006-1.png")).width())
        .isEqualTo(96);
  }

  /** A schedule that ends in pure noise: every weight is finite, to the last timestep. */
  @Test
  void zeroTerminalSignal() throws IOException {
    Path zeroed = TensorFiles.copy(base, folder.resolve("zero"));
    Path scheduler = zeroed.resolve("scheduler/scheduler_config.json");
    String config = Files.readString(scheduler);
    String zero = config.replace("{", "{\"rescale_betas_zero_snr\": true,");
    Files.writeString(scheduler, zero);
    String[] last = {"base_model=" + zeroed, "min_timestep=996", "max_steps=4"};
    String[] debiased = {last[0], last[1], last[2], "debiased_estimation=true"};
    assertThatThrownBy(() -> train("refused", false, debiased))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("max_timestep: 999");
    train("epsilon", false, last[0], last[1], last[2], "min_snr_gamma=5");
    Files.writeString(scheduler, zero.replace("epsilon", "v_prediction"));
    Path file = train("velocity", false, debiased).orElseThrow();
    assertThat(losses("epsilon")).hasSize(4).noneMatch(l -> l.matches(".*(NaN|Inf|null).*"));
    train("two", false, last[0], "min_timestep=998", "max_steps=1");
    assertThat(folder.resolve("two/logs/metrics.jsonl"))
        .content()
        .contains("probe/t998-998", "probe/t999-999")
        .doesNotContain("t998-997");
    assertThat(losses("velocity")).hasSize(4).noneMatch(l -> l.matches(".*(NaN|Inf|null).*"));
    assertThat(LoraFiles.metadata(file))
        .containsEntry("modelspec.prediction_type", "v")
        .containsEntry("ss_base_model_version", "sd_v1_v")
        .containsEntry("ss_v2", "False");
    Path told =
        train("told", false, last[0], "max_steps=1", "prediction_type=epsilon").orElseThrow();
    assertThat(LoraFiles.metadata(told)).containsEntry("modelspec.prediction_type", "epsilon");
  }

  /** The adapter of one run is the start of the next: what it draws is what it drew. */
  @Test
  void goesOnFromAnAdapter() throws IOException {
    Path first = train("first", false, "max_steps=3").orElseThrow();
    Path second =
        train("second", false, "init_adapter=" + first, "learning_rate=1e-9", "max_steps=1")
            .orElseThrow();
    DiffusionBase model = DiffusionFamilies.open(base);
    var before = LoraFiles.read(first, model.layers());
    var after = LoraFiles.read(second, model.layers());
    before.forEach(
        (path, m) ->
            assertThat(
                    Errors.relative(after.get(path).numbers("lora_A"), m.numbers("lora_A"))
                        + Errors.relative(after.get(path).numbers("lora_B"), m.numbers("lora_B")))
                .isLessThan(1e-4));
    Path larger =
        train(
                "larger",
                false,
                "init_adapter=" + first,
                "learning_rate=1e-9",
                "max_steps=1",
                "lora_rank=5",
                "lora_alpha=2")
            .orElseThrow();
    LoraFiles.read(larger, model.layers())
        .forEach(
            (path, m) ->
                assertThat(Errors.relative(gain(m), gain(before.get(path)))).isLessThan(1e-4));
    assertThatThrownBy(() -> train("third", false, "init_adapter=" + first, "lora_rank=2"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("has rank 3")
        .hasMessageContaining("the run's rank is 2");
  }

  /** s B A. */
  private static float[] gain(AdaptedLayer m) {
    int in = (int) m.target().in();
    float[] gain = new float[(int) m.target().out() * in];
    for (int i = 0; i < gain.length; i++) {
      for (int r = 0; r < m.rank(); r++) {
        gain[i] +=
            (float) m.scale()
                * m.numbers("lora_B")[i / in * m.rank() + r]
                * m.numbers("lora_A")[r * in + i % in];
      }
    }
    return gain;
  }

  /** Everything that kohya's scripts adapt and the convolutions, each at its own rate. */
  @Test
  void groupsHaveTheirOwnRankAndRate() throws IOException {
    String targets =
        "lora_targets=[kohya, {target: unet-conv, rank: 4, alpha: 2, learning_rate: 1e-3},"
            + " {target: text-encoder, learning_rate: 1e-9}]";
    Path file = train("groups", false, targets, "caption_dropout=0.2").orElseThrow();
    var modules = LoraFiles.read(file, DiffusionFamilies.open(base).layers());
    modules.forEach(
        (path, m) -> {
          boolean conv = path.contains("resnets") || path.contains("samplers");
          assertThat(m.rank()).as(path).isEqualTo(conv ? 4 : 3);
          assertThat(m.alpha()).as(path).isEqualTo(conv ? 2 : 3);
          double largest = 0;
          for (float b : m.numbers("lora_B")) {
            largest = Math.max(largest, Math.abs(b));
          }
          boolean text = path.startsWith("text_encoder.");
          assertThat(largest).as(path).isBetween(text ? 1e-10 : 1e-5, text ? 1e-7 : 0.1);
        });
    assertThat(modules.keySet().stream().filter(p -> p.startsWith("text_encoder."))).hasSize(12);
    assertThat(modules.keySet().stream().filter(p -> p.endsWith("conv1"))).isNotEmpty();
    // A resumed run draws the same.
    TensorFiles.copy(folder.resolve("groups"), folder.resolve("again"));
    AtomicFolders.delete(folder.resolve("again/checkpoint-6"));
    Files.delete(folder.resolve("again/lora.safetensors"));
    train("again", true, targets, "caption_dropout=0.2");
    assertThat(losses("again")).isEqualTo(losses("groups"));
  }

  /** Flips, crops, shuffled captions, regularization and pyramid noise resume to the bit too. */
  @Test
  void augmentationsResumeToTheBit() throws IOException {
    Files.createDirectories(folder.resolve("general"));
    Files.copy(folder.resolve("data/image1.png"), folder.resolve("general/g.png"));
    Files.writeString(folder.resolve("general/g.txt"), "a picture");
    String[] settings = {
      "flip=true",
      "random_crop=true",
      "shuffle_caption=true",
      "keep_tokens=1",
      "trigger_word=sks",
      "repeats=2",
      "regularization_path=" + folder.resolve("general"),
      "prior_loss_weight=0.5",
      "multires_noise_iterations=3"
    };
    train("whole", false, settings);
    TensorFiles.copy(folder.resolve("whole"), folder.resolve("cut"));
    AtomicFolders.delete(folder.resolve("cut/checkpoint-6"));
    Files.delete(folder.resolve("cut/lora.safetensors"));
    train("cut", true, settings);
    assertThat(losses("cut")).hasSize(6).isEqualTo(losses("whole"));
    train("plain", false, "max_steps=1");
    assertThat(losses("plain").get(0)).isNotEqualTo(losses("whole").get(0));
  }

  /** A second run reads what the first encoded; a changed image is encoded again. */
  @Test
  void encodingsAreKept() throws IOException {
    train("first", false, "max_steps=1");
    Path cache = folder.resolve("data/.lora-native-cache");
    long entries = Files.list(cache).count();
    assertThat(entries).isEqualTo(7 + 8 + 1); // images, captions and none, facts
    train("second", false, "max_steps=1");
    assertThat(Files.list(cache).count()).isEqualTo(entries);
    assertThat(losses("second")).isEqualTo(losses("first"));
    Files.copy(
        folder.resolve("data/image4.png"),
        folder.resolve("data/image3.png"),
        java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    train("third", false, "max_steps=4");
    train("fourth", false, "max_steps=4", "cache_encodings=false");
    assertThat(losses("fourth")).isEqualTo(losses("third"));
    assertThatThrownBy(() -> train("fifth", false, "strict_data=true"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("duplicate")
        .hasMessageContaining("image3.png = image4.png");
    // Damaged entries are made anew.
    for (Path entry : Files.list(cache).toList()) {
      Files.writeString(entry, "damaged");
    }
    train("sixth", false, "max_steps=4");
    assertThat(losses("sixth")).isEqualTo(losses("third"));
  }

  /** Replayed noise decides the loss, whatever the seed; a file that does not fit is refused. */
  @Test
  void noiseIsReplayed() throws IOException {
    Files.writeString(
        folder.resolve("data/metadata.csv"), "filename,prompt\nimage1.png,a\nimage3.png,b\n");
    Path replay = folder.resolve("replay.safetensors");
    int numbers = 2 * 4 * 16 * 16;
    String header =
        "{\"noise\":{\"dtype\":\"F32\",\"shape\":[1,2,4,16,16],\"data_offsets\":[0,"
            + numbers * 4
            + "]},\"timesteps\":{\"dtype\":\"I64\",\"shape\":[1,2],\"data_offsets\":["
            + numbers * 4
            + ","
            + (numbers * 4 + 16)
            + "]}}";
    ByteBuffer file =
        ByteBuffer.allocate(8 + header.length() + numbers * 4 + 16).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(header.length()).put(header.getBytes(StandardCharsets.UTF_8));
    for (float x : Philox.normals(numbers, 3, Philox.NOISE, 0, 0)) {
      file.putFloat(x);
    }
    file.putLong(10).putLong(900);
    Files.write(replay, file.array());
    String[] settings = {"max_steps=1", "shuffle=false", "noise_replay=" + replay};
    train("a", false, settings);
    train("b", false, "seed=7", settings[0], settings[1], settings[2]);
    train("c", false, "seed=7", settings[0], settings[1]);
    assertThat(loss("b")).isEqualTo(loss("a"));
    assertThat(loss("c")).isNotEqualTo(loss("a"));
    assertThatThrownBy(() -> train("d", false, settings[2], "max_steps=2"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("needs at least [2, 2] of [4, 16, 16]");
  }

  @Test
  void previewsAreOnOneSheet() throws IOException {
    train("sheet", false, "eval_steps=3", "sample_steps=3", "sample_prompts=[red heart, cat]");
    Picture sheet = Picture.read(folder.resolve("sheet/samples/contact-sheet.png"));
    assertThat(sheet.width()).as("steps 0, 3, 6").isEqualTo(3 * 260 + 4);
    assertThat(sheet.height()).isEqualTo(16 + 2 * 260 + 4);
  }

  @Test
  void mistakesAreNamed() throws IOException {
    assertThatThrownBy(() -> train("a", false, "resolution=30"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("resolution is 30")
        .hasMessageContaining("multiple of 4");
    assertThatThrownBy(() -> train("b", false, "lora_targets=[to_x]"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("\"to_x\"");
    assertThatThrownBy(() -> train("c", false, "lora_targets=[unet-convs]"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("there is no group unet-convs; there are")
        .hasMessageContaining("unet-conv, unet-ff");
    assertThatThrownBy(() -> train("c", false, "lora_targets=[{target: to_q, rang: 4}]"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("lora_targets")
        .hasMessageContaining("{target: NAME, rank: N");
    assertThatThrownBy(() -> train("d", false, "memory_budget=3MB"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("memory_budget");
    Files.writeString(folder.resolve("data/metadata.csv"), "filename,prompt\nimage11.png,x\n");
    assertThatThrownBy(() -> train("e", false))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("metadata.csv")
        .hasMessageContaining("image11.png does not exist; the nearest name there is image1.png");
    Files.writeString(folder.resolve("data/broken.png"), "no image");
    Files.writeString(folder.resolve("data/metadata.csv"), "filename,prompt\nbroken.png,x\n");
    assertThatThrownBy(() -> train("f", false))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("broken.png");
  }

  /** With too little memory whole blocks are computed again; the bits stay. */
  @Test
  void recomputingChangesNothing() throws IOException {
    train("all", false, "max_steps=2");
    train("little", false, "max_steps=2", "memory_budget=12MB");
    assertThat(losses("little")).isEqualTo(losses("all"));
    assertThat(Files.readString(folder.resolve("little/logs/train.log")))
        .containsPattern("recompute: [0-9]+ of");
  }
}
