package org.loranative.model.diffusion.families.stable;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.loranative.UserException;
import org.loranative.diffusion.Prediction;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorFile;

/**
 * What a checkpoint of one file predicts, which its shapes do not tell: by the marks that tools
 * leave, the surest first.
 *
 * @param by the mark, for the log
 */
record PredictionMarks(Prediction prediction, String by) {
  private static final String MODEL_SPEC = "modelspec.prediction_type";

  /** A norm whose bias is spread wider in 2.x files that predict velocity (ComfyUI tells so). */
  private static final String TELLTALE =
      SgmNames.UNET + "output_blocks.11.1.transformer_blocks.0.norm1.bias";

  private static final double TELLTALE_DEVIATION = 0.09;

  /**
   * @param version2 whether it is a Stable Diffusion 2, of which there are both kinds
   */
  static PredictionMarks read(Path file, TensorFile all, boolean version2) {
    Object spec = all.metadata().get(MODEL_SPEC);
    if (spec != null && !spec.toString().isBlank()) {
      String mark = spec.toString().strip();
      boolean velocity = mark.equals("v") || mark.equals("v_prediction");
      if (!velocity && !mark.equals("epsilon")) {
        throw new UserException(
            file
                + " says that it predicts \""
                + mark
                + "\" ("
                + MODEL_SPEC
                + "), but only epsilon"
                + " and v are supported; if that is wrong, say what is right with"
                + " prediction_type.");
      }
      return new PredictionMarks(of(velocity), MODEL_SPEC + " in the file");
    }
    if (all.tensors().containsKey("v_pred")) {
      return new PredictionMarks(Prediction.V_PREDICTION, "the entry v_pred in the file");
    }
    String name = file.getFileName().toString().replaceFirst("\\.[^.]*$", "");
    Path yaml = file.resolveSibling(name + ".yaml");
    if (Files.isRegularFile(yaml)) {
      return new PredictionMarks(of(isVelocity(yaml)), yaml.getFileName() + " beside the file");
    }
    if (version2) {
      TensorEntry telltale = all.tensors().get(TELLTALE);
      boolean velocity = telltale == null || deviation(telltale) > TELLTALE_DEVIATION;
      return new PredictionMarks(
          of(velocity),
          "2.x without a mark, by its weights; set prediction_type if images come out wrong");
    }
    return new PredictionMarks(
        Prediction.EPSILON, "no mark; set prediction_type if images come out wrong");
  }

  private static Prediction of(boolean velocity) {
    return velocity ? Prediction.V_PREDICTION : Prediction.EPSILON;
  }

  /** The original code's configuration, as A1111 reads it beside a checkpoint. */
  private static boolean isVelocity(Path yaml) {
    try {
      JsonNode parameters = new YAMLMapper().readTree(yaml.toFile()).path("model").path("params");
      return parameters.path("parameterization").asText().equals("v")
          || parameters.path("denoiser_config").toString().contains("VScaling");
    } catch (IOException e) {
      throw new UserException(yaml + " is not YAML: " + e.getMessage(), e);
    }
  }

  private static double deviation(TensorEntry entry) {
    float[] values = Safetensors.floats(entry);
    double sum = 0;
    double squares = 0;
    for (float x : values) {
      sum += x;
      squares += (double) x * x;
    }
    double mean = sum / values.length;
    return Math.sqrt(Math.max(0, squares / values.length - mean * mean));
  }
}
