package org.loranative.train;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.loranative.graph.Graph;

/**
 * Every graph that a run can execute. All of them are planned before the first step, so that
 * nothing is sized by a graph of another kind or shape.
 *
 * @param training forward and backward, for each shape of training batches
 * @param evaluation loss alone, for each shape of measured batches
 * @param update an optimizer step
 * @param previews what drawing or answering runs
 */
public record RunGraphs(
    Map<BatchShape, Graph> training,
    Map<BatchShape, Graph> evaluation,
    Graph update,
    List<Graph> previews) {

  public static <B> RunGraphs of(Training<B> kind, Steps<B> steps, Graph update) {
    Task<B> task = kind.task();
    Map<BatchShape, Graph> training = new LinkedHashMap<>();
    steps.shapes().forEach((shape, batch) -> training.put(shape, task.trainingGraph(batch)));
    Map<BatchShape, Graph> evaluation = new LinkedHashMap<>();
    for (Task.Measure<B> measure : task.measures()) {
      for (B batch : measure.batches()) {
        evaluation.computeIfAbsent(task.shape(batch), s -> task.evaluationGraph(batch));
      }
    }
    return new RunGraphs(training, evaluation, update, kind.previewGraphs());
  }

  public List<Graph> all() {
    List<Graph> all = new ArrayList<>(training.values());
    all.addAll(evaluation.values());
    all.add(update);
    all.addAll(previews);
    return all;
  }
}
