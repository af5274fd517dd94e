package org.loranative.train.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.loranative.UserException;
import org.loranative.io.AtomicFolders;
import org.loranative.lora.LoraFiles;
import org.loranative.model.diffusion.families.DiffusionFamilies;
import org.loranative.testing.TensorFiles;

/** Whole runs with settings that few need. */
class ChoicesTrainTest extends DemoRuns {
  /** As on a base whose scheduler says so, bit for bit; a base that predicts noise is refused. */
  @Test
  void zeroTerminalSignal() throws IOException {
    assertThatThrownBy(() -> train("refused", false, "zero_snr=true"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("zero_snr is set, but this base predicts epsilon")
        .hasMessageContaining("prediction_type: v_prediction");
    String[] previewed = {"max_steps=2", "sample_steps=2", "sample_prompts=[red heart]"};
    String[] asked = {"zero_snr=true", "prediction_type=v_prediction"};
    Path file =
        train("asked", false, asked[0], asked[1], previewed[0], previewed[1], previewed[2])
            .orElseThrow();
    assertThat(LoraFiles.metadata(file))
        .containsEntry("ss_zero_terminal_snr", "True")
        .containsEntry("modelspec.prediction_type", "v");
    Path other = TensorFiles.copy(base, folder.resolve("zero"));
    Path scheduler = other.resolve("scheduler/scheduler_config.json");
    String config = Files.readString(scheduler).replace("epsilon", "v_prediction");
    String zero = "{\"rescale_betas_zero_snr\": true, \"timestep_spacing\": \"trailing\",";
    Files.writeString(
        scheduler,
        config.replaceFirst("\"timestep_spacing\": *\"\\w+\",?", "").replaceFirst("\\{", zero));
    train("told", false, "base_model=" + other, previewed[0], previewed[1], previewed[2]);
    assertThat(losses("asked")).isEqualTo(losses("told"));
    assertThat(folder.resolve("asked/samples/000002-1.png"))
        .hasBinaryContent(Files.readAllBytes(folder.resolve("told/samples/000002-1.png")));
    train("plain", false, asked[1], previewed[0], previewed[1], previewed[2]);
    assertThat(losses("plain").get(0)).isNotEqualTo(losses("asked").get(0));
  }

  /** Encoded before the first step or within it, captions have the same states. */
  @Test
  void layersOfTheTextEncoderAreLeftOut() throws IOException {
    Path file = train("before", false, "clip_skip=1", "max_steps=1").orElseThrow();
    assertThat(LoraFiles.metadata(file)).containsEntry("ss_clip_skip", "2");
    train("again", false, "clip_skip=1", "max_steps=1");
    assertThat(losses("again")).isEqualTo(losses("before"));
    train(
        "within",
        false,
        "clip_skip=1",
        "max_steps=1",
        "lora_targets=[attention, {target: text-encoder, learning_rate: 1e-9}]");
    // The adapter begins as nothing, so the first loss is the base's.
    assertThat(Double.parseDouble(loss("within")))
        .isCloseTo(Double.parseDouble(loss("before")), Percentage.withPercentage(1e-3));
    train("none", false, "max_steps=1");
    assertThat(loss("none")).isNotEqualTo(loss("before"));
    assertThatThrownBy(() -> train("many", false, "clip_skip=2"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("clip_skip is 2, but must be between 0 and 1 for this base");
  }

  /** Numbers as --block-weights lists the blocks, without BASE. */
  @Test
  void someBlocksAreAdapted() throws IOException {
    String[] settings = {"blocks=1,6-9", "lora_targets=[attention, unet-conv]"};
    Path file = train("some", false, settings).orElseThrow();
    var modules = LoraFiles.read(file, DiffusionFamilies.open(base).layers());
    String in01 = "down_blocks\\.0\\.(attentions|resnets)\\.0";
    String out = "up_blocks\\.0\\..*|up_blocks\\.1\\.(attentions|resnets)\\.0\\..*";
    assertThat(modules.keySet())
        .allMatch(path -> path.matches("unet\\.(" + in01 + "\\..*|mid_block\\..*|" + out + ")"))
        .anyMatch(path -> path.startsWith("unet.down_blocks.0.resnets.0.conv1"))
        .anyMatch(path -> path.startsWith("unet.mid_block.attentions.0."))
        .anyMatch(path -> path.startsWith("unet.up_blocks.1.attentions.0."));
    TensorFiles.copy(folder.resolve("some"), folder.resolve("cut"));
    AtomicFolders.delete(folder.resolve("cut/checkpoint-6"));
    Files.delete(folder.resolve("cut/lora.safetensors"));
    train("cut", true, settings);
    assertThat(losses("cut")).hasSize(6).isEqualTo(losses("some"));
    assertThatThrownBy(() -> train("cut", true, "blocks=1,6-8", settings[1]))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("does not fit this configuration");
    assertThatThrownBy(() -> train("a", false, "blocks=7-20"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(
            "blocks is 7-20, but this base has 13 blocks, 0 (IN00) to 12 (OUT05)");
    assertThatThrownBy(() -> train("b", false, "blocks=7-8")) // without attention
        .isInstanceOf(UserException.class)
        .hasMessageContaining("lora_targets: attention names no layer in blocks 7-8");
    assertThatThrownBy(
            () -> train("c", false, "blocks=1", "lora_targets=[attention, text-encoder]"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("lora_targets: text-encoder names no layer in blocks 1");
    assertThatThrownBy(() -> train("d", false, "blocks=1,x"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("numbers and ranges such as 0,3,7-12");
  }
}
