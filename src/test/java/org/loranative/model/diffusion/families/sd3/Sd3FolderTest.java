package org.loranative.model.diffusion.families.sd3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.loranative.UserException;
import org.loranative.diffusion.Prediction;
import org.loranative.lora.Adapters;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.families.DiffusionFamilies;
import org.loranative.testing.Golden;

/** Folders of Stable Diffusion 3: what is read of them, and what is refused by name. */
class Sd3FolderTest {
  @TempDir Path folder;

  @BeforeEach
  void copy() throws Exception {
    Path from = Golden.FOLDER.resolve("sd35/base");
    try (Stream<Path> all = Files.walk(from)) {
      for (Path file : all.filter(Files::isRegularFile).toList()) {
        Path to = folder.resolve(from.relativize(file).toString());
        Files.createDirectories(to.getParent());
        Files.copy(file, to);
      }
    }
  }

  private void replace(String file, String what, String by) throws Exception {
    Path path = folder.resolve(file);
    String text = Files.readString(path);
    assertThat(text).containsPattern(what);
    Files.writeString(path, text.replaceFirst(what, by));
  }

  @Test
  void latentsAreShiftedAndScaled() {
    DiffusionBase base = DiffusionFamilies.open(folder);
    assertThat(base.normalized(0.0609)).isCloseTo(0, within(1e-6));
    assertThat(base.normalized(1.0609)).isCloseTo(1.5305, within(1e-6));
    assertThat(base.imageStep()).isEqualTo(4); // the VAE's 2 times the patch of 2
    assertThat(base.noise().samplers()).containsExactly("euler", "heun");
  }

  /** Nothing reads what text tokens answer in the last block, so their queries learn nothing. */
  @Test
  void groupsLeaveOutWhatLearnsNothing() {
    DiffusionBase base = DiffusionFamilies.open(folder);
    String pattern = base.family().groups().get("attention");
    assertThat(base.layers().targets().stream().map(Adapters.Target::path))
        .contains("transformer.transformer_blocks.1.attn.add_q_proj");
    assertThat("transformer.transformer_blocks.1.attn.add_q_proj".matches(pattern)).isFalse();
    assertThat("transformer.transformer_blocks.0.attn.add_q_proj".matches(pattern)).isTrue();
    assertThat("transformer.transformer_blocks.1.attn.add_k_proj".matches(pattern)).isTrue();
    assertThat("transformer.transformer_blocks.0.attn2.to_out.0".matches(pattern)).isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    "transformer/config.json, '\"joint_attention_dim\": 48', '\"joint_attention_dim\": 40',"
        + " d_model",
    "transformer/config.json, '\"qk_norm\": \"rms_norm\"', '\"qk_norm\": \"layer_norm\"', qk_norm",
    "transformer/config.json, '\"pooled_projection_dim\": 44', '\"pooled_projection_dim\": 40',"
        + " pooled",
    "transformer/config.json, '\"num_layers\": 2', '\"num_layers\": 1', tensors",
    "scheduler/scheduler_config.json, 'FlowMatchEulerDiscreteScheduler', 'DDIMScheduler',"
        + " _class_name",
    "text_encoder_3/config.json, 'gated-gelu', 'relu', feed_forward_proj"
  })
  void refusesByName(String file, String what, String by, String named) throws Exception {
    replace(file, what, by);
    assertThatThrownBy(() -> DiffusionFamilies.open(folder))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(named);
  }

  @Test
  void aSettingOfOtherNoiseIsRefused() {
    BaseOptions options = BaseOptions.none().withPrediction(Optional.of(Prediction.EPSILON));
    assertThatThrownBy(() -> DiffusionFamilies.open(folder, options))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("prediction_type");
  }
}
