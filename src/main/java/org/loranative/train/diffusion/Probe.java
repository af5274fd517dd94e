package org.loranative.train.diffusion;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.loranative.data.sd.Buckets;
import org.loranative.diffusion.NoiseProcess;
import org.loranative.train.Task;

/**
 * A diffusion loss that can be read: the same few images with the same noise at the same timesteps
 * each time, since the loss of training steps varies more with these than with what is learnt. The
 * timesteps are spread evenly over bands, each with a loss of its own.
 */
final class Probe {
  private static final int BANDS = 4;
  private static final int IN_BAND = 4;

  /** Forward passes of one measurement. */
  static final int FORWARDS = BANDS * IN_BAND;

  private Probe() {}

  /**
   * Measures of a set of images: one for each band of timesteps.
   *
   * @param images of which the first few are taken
   * @param process names the bands
   * @param first timestep and
   * @param end behind the last one
   */
  static List<Task.EvaluationSet<ImageBatch>> of(
      String name,
      List<TrainingImage> images,
      int batchSize,
      NoiseProcess process,
      int first,
      int end) {
    List<Task.EvaluationSet<ImageBatch>> sets = new ArrayList<>();
    int bands = Math.min(BANDS, end - first);
    for (int band = 0; band < bands && !images.isEmpty(); band++) {
      int from = first + (end - first) * band / bands;
      int to = first + (end - first) * (band + 1) / bands;
      Map<Buckets.Size, List<Integer>> bySize = new LinkedHashMap<>();
      for (int i = 0; i < IN_BAND; i++) {
        bySize.computeIfAbsent(at(images, i).size(), s -> new ArrayList<>()).add(i);
      }
      List<ImageBatch> batches = new ArrayList<>();
      for (List<Integer> members : bySize.values()) {
        for (int i = 0; i < members.size(); i += batchSize) {
          List<Integer> some = members.subList(i, Math.min(i + batchSize, members.size()));
          batches.add(
              new ImageBatch(
                  some.stream().map(k -> at(images, k)).toList(),
                  ImageBatch.MEASURED,
                  band * IN_BAND + some.get(0),
                  some.stream()
                      .map(k -> from + (to - from) * (2 * k + 1) / (2 * IN_BAND))
                      .toList()));
        }
      }
      sets.add(new Task.EvaluationSet<>(name, process.label(from, to), batches));
    }
    return sets;
  }

  /**
   * The images that a probe takes of these, each with the caption of another: if their loss is as
   * low, captions have nothing to do with their images, or the model does not read them. None where
   * there is no other caption.
   */
  static List<TrainingImage> swapped(List<TrainingImage> images) {
    List<TrainingImage> some = images.subList(0, Math.min(IN_BAND, images.size()));
    List<String> captions = images.stream().map(TrainingImage::caption).distinct().toList();
    if (captions.size() < 2) {
      return List.of();
    }
    return some.stream()
        .map(i -> i.captioned(captions.get((captions.indexOf(i.caption()) + 1) % captions.size())))
        .toList();
  }

  private static TrainingImage at(List<TrainingImage> images, int i) {
    return images.get(i % images.size());
  }
}
