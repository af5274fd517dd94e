package org.loranative.train;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.loranative.graph.Graph;
import org.loranative.io.Numbers;
import org.loranative.model.Objective;

/**
 * What the trainer needs to know of a kind of training.
 *
 * @param <B> a micro-batch
 */
public interface Task<B> {
  /** The micro-batches of an epoch in order, 0 for the first; the same whenever asked. */
  List<B> epoch(int epoch);

  /**
   * Batches that are measured and not learnt from, always the same ones.
   *
   * @param name of the loss over all parts: {@code val} (data that is not trained on), {@code
   *     probe} (some that is)
   * @param part of it, "" if there is one only; parts count alike
   */
  record EvaluationSet<B>(String name, String part, List<B> batches) {}

  /** What is measured now and then; may be empty. */
  List<EvaluationSet<B>> evaluationSets();

  /** Steps between measurements, for a run of {@code total} steps, if the user does not say. */
  int measureEvery(int total);

  /** What training minimizes. */
  Objective<?> objective();

  /**
   * A record of a batch.
   *
   * @param source where it came from
   * @param items how many of the loss's items are its own; they follow those of the one before
   * @param labelled how many of them count
   */
  record Record(String source, int items, int labelled) {}

  /** A batch's records, in order. */
  List<Record> records(B batch);

  /** What stands at one of a record's items, if that says something to people. */
  Optional<String> item(String record, int item);

  /**
   * A piece of a record's text.
   *
   * @param from the first item and
   * @param to the end of the items that learn it; equal where none does
   */
  record Piece(String text, int from, int to) {}

  /** The text of the record that came from there with so many items; empty where it is none. */
  default List<Piece> pieces(String record, int items) {
    return List.of();
  }

  /** What is worth knowing of the data, by name, for the doctor and whoever reads the run. */
  Map<String, Object> facts();

  /** What a batch's plan is made for. */
  BatchShape shape(B batch);

  /** What the loss is averaged over (labelled tokens). */
  long labelled(B batch);

  /** What throughput counts: so many {@link #unit}s. */
  long units(B batch);

  /** {@code tokens}, {@code images}. */
  String unit();

  /** Forward and backward for batches of this one's shape. */
  Graph trainingGraph(B batch);

  /** Loss alone, likewise. */
  Graph evaluationGraph(B batch);

  /**
   * Writes a batch's inputs.
   *
   * @param inputs gives the host buffer of an input by name
   */
  void fill(B batch, Function<String, ByteBuffer> inputs);

  /** A fingerprint of all training data: a resumed run must meet the same. */
  String fingerprint();

  /** One of what is only measured, as far as {@link #fingerprint} leaves it out. */
  default String measuredFingerprint() {
    return "";
  }

  /** Writes the adapter into {@code folder}; returns the folder or file that holds it. */
  Path export(Path folder, Numbers params) throws IOException;

  /**
   * Writes the finished adapter into {@code output_dir}; returns the folder or file that has it.
   */
  Path finish(Path outputDir, Numbers params) throws IOException;

  /** The setting to change, and how, so that a batch needs about {@code share} of the memory. */
  String smallerBatch(double share);
}
