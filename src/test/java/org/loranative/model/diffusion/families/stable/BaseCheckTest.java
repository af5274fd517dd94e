package org.loranative.model.diffusion.families.stable;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.UserException;
import org.loranative.diffusion.NoiseSchedule;
import org.loranative.diffusion.Prediction;
import org.loranative.diffusion.Spacing;
import org.loranative.io.AtomicFolders;
import org.loranative.io.Safetensors;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.PartConfig;
import org.loranative.model.diffusion.families.DiffusionFamilies;
import org.loranative.testing.Golden;
import org.loranative.testing.TensorFiles;
import org.slf4j.LoggerFactory;

/** What is another model than the one that is built is refused by name, never trained on. */
class BaseCheckTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  private Path base(String name) throws IOException {
    return TensorFiles.copy(Golden.FOLDER.resolve(name).resolve("base"), folder.resolve(name));
  }

  /** Sets a key of a config to a JSON value. */
  private static void set(Path file, String key, String value) throws IOException {
    ObjectNode config = (ObjectNode) JSON.readTree(file.toFile());
    config.set(key, JSON.readTree(value));
    JSON.writeValue(file.toFile(), config);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "sd15 | unet/config.json | in_channels | 9 | inpainting model",
        "sd15 | unet/config.json | in_channels | 8 | reads 8 channels, but latents of 4",
        "sd15 | unet/config.json | out_channels | 8 | out_channels",
        "sd15 | unet/config.json | cross_attention_dim | 32 | cross_attention_dim",
        "sdxl | unet/config.json | projection_class_embeddings_input_dim | 60 | 6 sizes",
        "sd15 | unet/config.json | num_class_embeds | 1000 | num_class_embeds is 1000",
        "sd15 | unet/config.json | class_embed_type | \"timestep\" | class_embed_type",
        "sd15 | unet/config.json | only_cross_attention | [true,true,false] | only_cross",
        "sd15 | unet/config.json | time_cond_proj_dim | 256 | time_cond_proj_dim",
        "sd15 | unet/config.json | resnet_out_scale_factor | 1.5 | resnet_out_scale_factor",
        "sd15 | unet/config.json | mid_block_scale_factor | 2 | mid_block_scale_factor",
        "sd15 | unet/config.json | norm_num_groups | 5 | norm_num_groups",
        "sd15 | unet/config.json | attention_head_dim | 7 | attention heads",
        "sd15 | unet/config.json | block_out_channels | [8,32,32] | do not have the shapes",
        "sd15 | unet/config.json | _class_name | \"UNet3DConditionModel\" | UNet3D",
        "sd15 | unet/config.json | mid_block_type | null | mid_block_type is null",
        "sd15 | vae/config.json | mid_block_add_attention | null | mid_block_add_attention",
        "sd15 | vae/config.json | latents_mean | [0.1,0.2,0.3,0.4] | latents_mean",
        "sd15 | vae/config.json | _class_name | \"AutoencoderTiny\" | AutoencoderTiny",
        "sd15 | text_encoder/config.json | model_type | \"t5\" | model_type",
        "sd15 | scheduler/scheduler_config.json | _class_name"
            + " | \"EDMDPMSolverMultistepScheduler\" | EDMDPMSolverMultistepScheduler",
        "sd15 | scheduler/scheduler_config.json | _class_name"
            + " | \"FlowMatchEulerDiscreteScheduler\" | FlowMatchEulerDiscreteScheduler",
        "sd15 | scheduler/scheduler_config.json | trained_betas | [0.1,0.2] | trained_betas",
        "sd15 | scheduler/scheduler_config.json | prediction_type | \"sample\" | prediction_type",
        "sd15 | model_index.json | _class_name | \"CogView4Pipeline\" | is a CogView4Pipeline"
      })
  void refusesByName(String base, String file, String key, String value, String expected)
      throws IOException {
    Path model = base(base);
    set(model.resolve(file), key, value);
    assertThatThrownBy(() -> DiffusionFamilies.open(model))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(expected);
  }

  /** The defaults of diffusers' schedulers differ, so none is guessed. */
  @ParameterizedTest
  @ValueSource(strings = {"beta_start", "beta_end"})
  void aScheduleWithoutItsBetasIsRefused(String key) throws IOException {
    Path model = base("sd15");
    Path file = model.resolve("scheduler/scheduler_config.json");
    ObjectNode config = (ObjectNode) JSON.readTree(file.toFile());
    config.remove(key);
    JSON.writeValue(file.toFile(), config);
    assertThatThrownBy(() -> DiffusionFamilies.open(model))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(key + " is missing; it must be a number");
  }

  /** Of a thousand betas a message shows the first few. */
  @Test
  void aLongValueIsShortened() throws IOException {
    Path model = base("sd15");
    String betas = Collections.nCopies(1000, "0.1").toString();
    set(model.resolve("scheduler/scheduler_config.json"), "trained_betas", betas);
    assertThatThrownBy(() -> DiffusionFamilies.open(model))
        .isInstanceOf(UserException.class)
        .satisfies(e -> assertThat(e.getMessage().length()).isLessThan(400));
  }

  @Test
  void tensorsThatWouldBeLeftOutAreNamed() throws IOException {
    Path model = base("sd15");
    Path unet = model.resolve("unet/diffusion_pytorch_model.safetensors");
    TensorFiles.like(unet).with("class_embedding.weight", List.of(1L, 2L), 1, 2).write(unet);
    assertThatThrownBy(() -> DiffusionFamilies.open(model))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("class_embedding.weight");
  }

  /** The same model of one file, whose first convolution reads mask and masked image too. */
  @Test
  void inpaintingInOneFile() {
    String in = "model.diffusion_model.input_blocks.0.0.weight";
    Path file = Golden.FOLDER.resolve("single-sd1/model.safetensors");
    List<Long> shape = Safetensors.read(file).tensors().get(in).shape();
    long out = shape.get(0);
    float[] wide = new float[(int) out * 81];
    Path other =
        TensorFiles.like(file)
            .with(in, List.of(out, 9L, 3L, 3L), wide)
            .write(folder.resolve("inpainting.safetensors"));
    assertThatThrownBy(() -> DiffusionFamilies.open(other))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("inpainting model");
  }

  @Test
  void anUnknownSettingIsNamedOnce() throws IOException {
    Path model = base("sd15");
    set(model.resolve("unet/config.json"), "new_kind_of_gate", "3");
    set(model.resolve("unet/config.json"), "another_that_is_off", "false");
    Logger logger = (Logger) LoggerFactory.getLogger(PartConfig.class);
    ListAppender<ILoggingEvent> seen = new ListAppender<>();
    seen.start();
    logger.addAppender(seen);
    try {
      DiffusionFamilies.open(model);
    } finally {
      logger.detachAppender(seen);
    }
    assertThat(seen.list)
        .singleElement()
        .satisfies(e -> assertThat(e.getFormattedMessage()).contains("(new_kind_of_gate: 3)"));
  }

  @Test
  void theRefinerIsNamed() throws IOException {
    Path model = base("sdxl");
    AtomicFolders.delete(model.resolve("text_encoder"));
    assertThatThrownBy(() -> DiffusionFamilies.open(model))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("refiner");
  }

  @Test
  void theScheduleFollowsTheConfig() throws IOException {
    Path model = base("sd15");
    Path config = model.resolve("scheduler/scheduler_config.json");
    assertThat(schedule(DiffusionFamilies.open(model)).spacing()).isEmpty();
    set(config, "timestep_spacing", "\"trailing\"");
    set(config, "rescale_betas_zero_snr", "true");
    set(config, "prediction_type", "\"v_prediction\"");
    DiffusionBase base = DiffusionFamilies.open(model);
    assertThat(schedule(base).spacing()).contains(Spacing.TRAILING);
    assertThat(schedule(base).alpha(999)).isEqualTo(0);
    assertThat(schedule(base).prediction()).isEqualTo(Prediction.V_PREDICTION);
    assertThat(base.family().metadata())
        .containsEntry("ss_base_model_version", "sd_v1_v")
        .containsEntry("ss_v2", "False");
    BaseOptions epsilon = BaseOptions.none().withPrediction(Optional.of(Prediction.EPSILON));
    assertThat(schedule(DiffusionFamilies.open(model, epsilon)).prediction())
        .isEqualTo(Prediction.EPSILON);
  }

  @Test
  void variantsOfTensorsAreFound() throws IOException {
    Path model = base("sd15");
    Path unet = model.resolve("unet");
    Path plain = unet.resolve("diffusion_pytorch_model.safetensors");
    Files.move(plain, unet.resolve("diffusion_pytorch_model.fp16.safetensors"));
    assertThat(DiffusionFamilies.open(model).weights().has("unet.conv_in.weight")).isTrue();
    Files.move(
        unet.resolve("diffusion_pytorch_model.fp16.safetensors"),
        unet.resolve("diffusion_pytorch_model.bin"));
    assertThatThrownBy(() -> DiffusionFamilies.open(model))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("diffusion_pytorch_model.bin")
        .hasMessageContaining("pickle");
  }

  private static NoiseSchedule schedule(DiffusionBase base) {
    return (NoiseSchedule) base.noise();
  }
}
