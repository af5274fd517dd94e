package org.loranative.label;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import java.io.IOException;
import java.io.Reader;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.loranative.UserException;
import org.loranative.image.ImageFile;
import org.loranative.image.Picture;

/**
 * A tagger of the kind of WD14 (SmilingWolf's wd-v1-4 models): an image [1, S, S, 3], BGR in 0 to
 * 255 on a white square, gives a probability for each line of selected_tags.csv.
 */
final class Tagger implements Labeller {
  private static final int CHARACTER = 4;

  /** A larger picture is made so many times the model's side first. */
  private static final int ENOUGH = 4;

  private static final int RATING = 9;

  private record Tag(String name, int category) {}

  private final OnnxModel model;
  private final List<Tag> tags;
  private final double threshold;
  private final double characterThreshold;
  private final int side;

  /**
   * @param threshold probability from which a tag is taken; names of characters have their own
   */
  Tagger(Path model, Path tags, double threshold, double characterThreshold) {
    this.tags = read(tags);
    this.threshold = threshold;
    this.characterThreshold = characterThreshold;
    this.model = OnnxModel.open(model);
    long[] shape = this.model.shape(this.model.input());
    if (shape.length != 4 || shape[1] != shape[2] || shape[3] != 3 || shape[1] < 1) {
      throw new UserException(
          model + " is no tagger of WD14's kind: its input must be [N, S, S, 3].");
    }
    side = (int) shape[1];
  }

  private static List<Tag> read(Path file) {
    List<Tag> tags = new ArrayList<>();
    CSVFormat format = CSVFormat.DEFAULT.builder().setHeader().setSkipHeaderRecord(true).get();
    try (Reader in = Files.newBufferedReader(file);
        CSVParser parser = format.parse(in)) {
      if (!parser.getHeaderNames().containsAll(List.of("name", "category"))) {
        throw new UserException(
            file + " must have the columns name and category, as WD14's selected_tags.csv has.");
      }
      for (CSVRecord record : parser) {
        tags.add(new Tag(record.get("name"), Integer.parseInt(record.get("category").strip())));
      }
    } catch (IOException | IllegalArgumentException e) {
      throw new UserException(file + " cannot be read: " + e.getMessage(), e);
    }
    return tags;
  }

  @Override
  public String caption(Path image) {
    ImageFile file = ImageFile.open(image);
    float[] numbers = square(file.cut(List.of(file.within(ENOUGH * side))).get(0), side);
    float[] probabilities;
    try {
      long[] shape = {1, side, side, 3};
      OnnxTensor tensor =
          OnnxTensor.createTensor(
              OrtEnvironment.getEnvironment(), FloatBuffer.wrap(numbers), shape);
      probabilities = model.run(Map.of(model.input(), tensor));
    } catch (OrtException e) {
      throw model.failed(e);
    }
    if (probabilities.length != tags.size()) {
      throw new UserException(
          String.format(
              "%s gives %d probabilities, but there are %d tags: it belongs to another list.",
              model.file(), probabilities.length, tags.size()));
    }
    List<Integer> taken = new ArrayList<>();
    for (int i = 0; i < tags.size(); i++) {
      int category = tags.get(i).category();
      double least = category == CHARACTER ? characterThreshold : threshold;
      if (category != RATING && probabilities[i] >= least) {
        taken.add(i);
      }
    }
    taken.sort(Comparator.comparingDouble(i -> -probabilities[i]));
    return String.join(", ", taken.stream().map(i -> spoken(tags.get(i).name())).toList());
  }

  /** {@code long_hair} as a caption has it; faces such as {@code ^_^} stay. */
  private static String spoken(String tag) {
    return tag.length() <= 3 ? tag : tag.replace('_', ' ');
  }

  /** In the middle of a white square, as BGR. */
  static float[] square(Picture picture, int side) {
    int longest = Math.max(picture.width(), picture.height());
    float[] rgb = new float[longest * longest * 3];
    java.util.Arrays.fill(rgb, 1);
    int left = (longest - picture.width()) / 2;
    int top = (longest - picture.height()) / 2;
    for (int y = 0; y < picture.height(); y++) {
      System.arraycopy(
          picture.rgb(),
          y * picture.width() * 3,
          rgb,
          ((y + top) * longest + left) * 3,
          picture.width() * 3);
    }
    float[] scaled = new Picture(longest, longest, rgb).covering(side, side).rgb();
    float[] bgr = new float[scaled.length];
    for (int i = 0; i < scaled.length; i += 3) {
      for (int c = 0; c < 3; c++) {
        bgr[i + c] = scaled[i + 2 - c] * 255;
      }
    }
    return bgr;
  }

  @Override
  public void close() {
    model.close();
  }
}
