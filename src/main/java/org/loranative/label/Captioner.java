package org.loranative.label;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.loranative.UserException;
import org.loranative.image.ImageFile;
import org.loranative.image.Picture;
import org.loranative.text.Tokenizer;
import org.loranative.text.Tokenizers;

/**
 * A captioner as GIT's are exported: {@code pixel_values} f32 [1, 3, S, S], normalized as CLIP's,
 * and {@code input_ids} i64 [1, T] give logits [1, T, V]; the likeliest word is taken each time.
 */
final class Captioner implements Labeller {
  private static final String PIXELS = "pixel_values";
  private static final String IDS = "input_ids";

  /**
   * CLIP's image statistics (Radford et al. 2021, as transformers' CLIPImageProcessor has them).
   */
  private static final float[] MEAN = {0.48145466f, 0.4578275f, 0.40821073f};

  private static final float[] STD = {0.26862954f, 0.26130258f, 0.27577711f};

  private final OnnxModel model;
  private final Tokenizer tokenizer;
  private final int side;
  private final int most;

  /**
   * @param tokenizer folder of the model's tokenizer
   * @param most tokens of a caption
   */
  Captioner(Path model, Path tokenizer, int most) {
    this.tokenizer = Tokenizers.fromFolder(tokenizer);
    this.model = OnnxModel.open(model);
    this.most = most;
    long[] shape = this.model.shape(PIXELS);
    this.model.shape(IDS);
    side = shape.length == 4 && shape[2] > 0 ? (int) shape[2] : 224;
  }

  @Override
  public String caption(Path image) {
    float[] pixels = pixels(ImageFile.open(image).covering(side, side));
    int start = tokenizer.bos().orElseThrow(() -> new UserException("its tokenizer has no begin"));
    long[] ids = {start};
    while (ids.length <= most) {
      int next = next(pixels, ids);
      if (tokenizer.stop().contains(next)) {
        break;
      }
      ids = Arrays.copyOf(ids, ids.length + 1);
      ids[ids.length - 1] = next;
    }
    int[] words = new int[ids.length - 1];
    for (int i = 0; i < words.length; i++) {
      words[i] = (int) ids[i + 1];
    }
    return tokenizer.decode(words).strip();
  }

  private int next(float[] pixels, long[] ids) {
    float[] logits;
    try {
      OrtEnvironment environment = OrtEnvironment.getEnvironment();
      Map<String, OnnxTensor> inputs = new HashMap<>();
      inputs.put(
          PIXELS,
          OnnxTensor.createTensor(
              environment, FloatBuffer.wrap(pixels), new long[] {1, 3, side, side}));
      inputs.put(
          IDS,
          OnnxTensor.createTensor(environment, LongBuffer.wrap(ids), new long[] {1, ids.length}));
      logits = model.run(inputs);
    } catch (OrtException e) {
      throw model.failed(e);
    }
    int vocab = logits.length / ids.length;
    int best = 0;
    for (int i = 1; i < vocab; i++) {
      best =
          logits[(ids.length - 1) * vocab + i] > logits[(ids.length - 1) * vocab + best] ? i : best;
    }
    return best;
  }

  private float[] pixels(Picture picture) {
    float[] rgb = picture.rgb();
    float[] planes = new float[rgb.length];
    for (int i = 0; i < side * side; i++) {
      for (int c = 0; c < 3; c++) {
        planes[c * side * side + i] = (rgb[i * 3 + c] - MEAN[c]) / STD[c];
      }
    }
    return planes;
  }

  @Override
  public void close() {
    model.close();
    tokenizer.close();
  }
}
