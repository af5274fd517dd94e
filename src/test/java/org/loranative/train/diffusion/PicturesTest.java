package org.loranative.train.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.UserException;
import org.loranative.diffusion.Sampler;
import org.loranative.image.Picture;
import org.loranative.io.DType;
import org.loranative.io.Safetensors;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.Painter;
import org.loranative.model.diffusion.families.DiffusionFamilies;
import org.loranative.testing.Errors;
import org.loranative.testing.Golden;
import org.loranative.testing.TensorFiles;
import org.loranative.testing.ThinDiffusion;
import org.loranative.train.machine.Machine;

/** The real demo model draws what diffusers' pipeline draws with it. */
class PicturesTest {
  private static final DiffusionBase MODEL = DiffusionFamilies.open(Path.of("models/emoji-sd"));
  private static final Golden GOLDEN = new Golden(Golden.FOLDER.resolve("emoji.safetensors"));

  @TempDir Path folder;
  private Path latents;

  @BeforeEach
  void writeLatents() throws Exception {
    latents = folder.resolve("latents.safetensors");
    float[] noise = GOLDEN.floats("latents");
    ByteBuffer data = ByteBuffer.allocate(noise.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    data.asFloatBuffer().put(noise);
    Safetensors.write(
        latents,
        List.of(new Safetensors.Tensor("latents", DType.F32, List.of(1L, 4L, 16L, 16L), data)),
        Map.of());
  }

  private static Painter.Order order(String negative, int steps, double guidance, int clipSkip) {
    return new Painter.Order(
        "cat face", negative, 64, 64, MODEL.sampler("ddim", ""), steps, guidance, 1, clipSkip);
  }

  @Test
  void drawsWhatThePipelineDraws() {
    try (Pictures pictures = new Pictures(MODEL, List.of(), Machine.of("cpu", "f32"))) {
      Picture guided = pictures.draw(order("red", 8, 5, 0), Optional.of(latents));
      assertThat(Errors.relative(guided.rgb(), GOLDEN.floats("image"))).isLessThan(1e-3);
      Picture skipped = pictures.draw(order("", 4, 1, 1), Optional.of(latents));
      assertThat(Errors.relative(skipped.rgb(), GOLDEN.floats("skipped"))).isLessThan(1e-3);
    }
  }

  @Test
  void theSeedNamesTheImage() {
    try (Pictures pictures = new Pictures(MODEL, List.of(), Machine.of("cpu", "f32"))) {
      for (String name : MODEL.noise().samplers()) {
        Sampler sampler = MODEL.sampler(name, "");
        Painter.Order one = new Painter.Order("pizza", "", 48, 32, sampler, 3, 4, 7, 0);
        Picture first = pictures.draw(one, Optional.empty());
        assertThat(pictures.draw(one, Optional.empty()).rgb()).isEqualTo(first.rgb());
        Painter.Order other = new Painter.Order("pizza", "", 48, 32, sampler, 3, 4, 8, 0);
        assertThat(pictures.draw(other, Optional.empty()).rgb()).isNotEqualTo(first.rgb());
      }
    }
  }

  /** The kernels on the emulator, tensor cores and all, draw the CPU's image within bf16. */
  @Test
  void everySamplerRunsOnACard() throws IOException {
    DiffusionBase thin = DiffusionFamilies.open(ThinDiffusion.write(folder.resolve("thin")));
    try (Pictures cpu = new Pictures(thin, List.of(), Machine.of("cpu", "f32"));
        Pictures card = new Pictures(thin, List.of(), Machine.of("cuda-emu", "bf16"))) {
      for (String name : thin.noise().samplers()) {
        Sampler sampler = thin.sampler(name, "");
        Painter.Order order = new Painter.Order("pizza", "", 32, 32, sampler, 2, 3, 7, 0);
        assertThat(
                Errors.relative(
                    card.draw(order, Optional.empty()).rgb(),
                    cpu.draw(order, Optional.empty()).rgb()))
            .as(name)
            .isLessThan(0.05);
      }
    }
  }

  @Test
  void theUsualSizeIsTheBasesOrTheLatents() {
    Path wide =
        TensorFiles.empty()
            .with("latents", List.of(1L, 4L, 2L, 6L), new float[48])
            .write(folder.resolve("wide.safetensors"));
    try (Pictures pictures = new Pictures(MODEL, List.of(), Machine.of("cpu", "f32"))) {
      assertThat(pictures.size(Optional.empty())).containsExactly(64, 64);
      assertThat(pictures.size(Optional.of(wide))).containsExactly(24, 8);
    }
  }

  @Test
  void mistakesAreNamed() throws IOException {
    try (Pictures pictures = new Pictures(MODEL, List.of(), Machine.of("cpu", "f32"))) {
      Painter.Order odd =
          new Painter.Order("pizza", "", 50, 64, MODEL.sampler("euler", ""), 2, 4, 7, 0);
      assertThatThrownBy(() -> pictures.draw(odd, Optional.empty()))
          .isInstanceOf(UserException.class)
          .hasMessageContaining("50 x 64")
          .hasMessageContaining("multiples of 4");
      Painter.Order large =
          new Painter.Order("pizza", "", 128, 64, MODEL.sampler("euler", ""), 2, 4, 7, 0);
      assertThatThrownBy(() -> pictures.draw(large, Optional.of(latents)))
          .isInstanceOf(UserException.class)
          .hasMessageContaining("[1, 4, 16, 32]");
    }
    assertThatThrownBy(() -> DiffusionFamilies.open(folder))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("no model_index.json")
        .hasMessageEndingWith("or a .safetensors file.");
    Files.writeString(folder.resolve("config.json"), "{}");
    assertThatThrownBy(() -> DiffusionFamilies.open(folder))
        .hasMessageEndingWith("Language models need task_type: llm.");
    Path gguf = Files.writeString(folder.resolve("model.gguf"), "GGUF");
    assertThatThrownBy(() -> DiffusionFamilies.open(gguf))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("is not a valid GGUF file");
    Path t5 = Golden.FOLDER.resolve("single-flux/t5.gguf");
    assertThatThrownBy(() -> DiffusionFamilies.open(t5))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("of the architecture t5encoder")
        .hasMessageEndingWith("Language models need task_type: llm.");
  }
}
