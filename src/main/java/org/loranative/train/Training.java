package org.loranative.train;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.device.Memory;
import org.loranative.graph.Graph;
import org.loranative.io.Numbers;
import org.loranative.lora.Adapters;
import org.loranative.model.Placement;
import org.loranative.model.weights.Weights;

/**
 * A kind of training, opened on its base model: what {@code TrainRun} puts together.
 *
 * @param <B> a micro-batch
 */
public interface Training<B> extends AutoCloseable {
  /** What it does with its data, which are read when first asked for. */
  Task<B> task();

  Adapters adapters();

  /** The most device memory that {@link #prepare} takes, in bytes, before training takes any. */
  long preparationBytes();

  /** What it keeps on Java's heap once prepared, in bytes. */
  long preparedBytes();

  /** Does what must be done once before training and planning does not need; frees its memory. */
  void prepare();

  /** The base model's tensors. */
  Weights weights();

  /** Constants that its graphs name. */
  Map<String, float[]> constants();

  /** The numbers of an adapter to start from; it must fit the run's own. */
  Numbers readAdapter(Path path);

  /** Every graph that previews run, none without. */
  List<Graph> previewGraphs();

  /** What previews hold between steps, in bytes. */
  long previewBytes();

  /**
   * The previews that the configuration asks for; the caller closes them.
   *
   * @param arena that holds any of {@link #previewGraphs}
   */
  Optional<Previews> previews(Placement placement, Memory arena);

  /** A command line that tries a finished adapter. */
  String trial(Path adapter);

  @Override
  void close();
}
