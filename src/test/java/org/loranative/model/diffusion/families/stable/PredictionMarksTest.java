package org.loranative.model.diffusion.families.stable;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.UserException;
import org.loranative.diffusion.NoiseSchedule;
import org.loranative.diffusion.Prediction;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.families.DiffusionFamilies;
import org.loranative.testing.Golden;
import org.loranative.testing.TensorFiles;

/** What a checkpoint of one file predicts, told by its marks or by the user. */
class PredictionMarksTest {
  private static final String TELLTALE =
      "model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias";

  @TempDir Path folder;

  private static TensorFiles like(String kind) {
    return TensorFiles.like(Golden.FOLDER.resolve("single-" + kind).resolve("model.safetensors"));
  }

  private Prediction of(TensorFiles file) {
    return schedule(DiffusionFamilies.open(file.write(folder.resolve("model.safetensors"))))
        .prediction();
  }

  @Test
  void withoutAMarkXlPredictsNoise() {
    assertThat(of(like("xl"))).isEqualTo(Prediction.EPSILON);
  }

  @Test
  void entriesOfTheFile() {
    assertThat(of(like("xl").with("v_pred", List.of(0L)))).isEqualTo(Prediction.V_PREDICTION);
    DiffusionBase zero =
        DiffusionFamilies.open(
            like("xl")
                .with("v_pred", List.of(0L))
                .with("ztsnr", List.of(0L))
                .write(folder.resolve("zero.safetensors")));
    assertThat(schedule(zero).alpha(999)).isEqualTo(0);
    Path edm = like("xl").with("edm_mean", List.of(1L), 0).write(folder.resolve("edm.safetensors"));
    assertThatThrownBy(() -> DiffusionFamilies.open(edm))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("EDM");
  }

  @Test
  void metadataOfTheFile() {
    assertThat(of(like("sd1").withMetadata("modelspec.prediction_type", "v")))
        .isEqualTo(Prediction.V_PREDICTION);
    assertThat(of(like("sd2").withMetadata("modelspec.prediction_type", "epsilon")))
        .isEqualTo(Prediction.EPSILON);
    TensorFiles flow = like("xl").withMetadata("modelspec.prediction_type", "flow");
    assertThatThrownBy(() -> of(flow))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("\"flow\"")
        .hasMessageContaining("prediction_type");
  }

  @Test
  void configurationBesideTheFile() throws IOException {
    Files.writeString(
        folder.resolve("model.yaml"), "model:\n  params:\n    parameterization: \"v\"\n");
    assertThat(of(like("sd1"))).isEqualTo(Prediction.V_PREDICTION);
    Files.writeString(folder.resolve("model.yaml"), "model:\n  params:\n    timesteps: 1000\n");
    assertThat(of(like("sd2"))).isEqualTo(Prediction.EPSILON);
  }

  /** The base files of 2.x, which predict noise, have a narrow norm at this place. */
  @Test
  void version2ByItsWeights() {
    List<Long> shape = List.of(4L);
    assertThat(prediction2(like("sd2").with(TELLTALE, shape, .01f, -.01f, .02f, -.03f)))
        .isEqualTo(Prediction.EPSILON);
    assertThat(prediction2(like("sd2").with(TELLTALE, shape, .2f, -.1f, .15f, -.3f)))
        .isEqualTo(Prediction.V_PREDICTION);
  }

  /** Only the mark: the tiny model has fewer blocks than the real one. */
  private Prediction prediction2(TensorFiles tensors) {
    Path file = tensors.write(folder.resolve("v2.safetensors"));
    return PredictionMarks.read(file, org.loranative.io.Safetensors.read(file), true).prediction();
  }

  @Test
  void theUsersWordGoesFirst() {
    Path file = like("sd2").write(folder.resolve("model.safetensors"));
    for (Prediction wanted : Prediction.values()) {
      BaseOptions options = BaseOptions.none().withPrediction(Optional.of(wanted));
      DiffusionBase base = DiffusionFamilies.open(file, options);
      assertThat(schedule(base).prediction()).isEqualTo(wanted);
      int side = wanted == Prediction.V_PREDICTION ? 96 : 64;
      assertThat(base.imageSize()).containsExactly(2 * side, 2 * side);
    }
  }

  private static NoiseSchedule schedule(DiffusionBase base) {
    return (NoiseSchedule) base.noise();
  }
}
