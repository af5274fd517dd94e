package org.loranative.train;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.loranative.graph.Graph;
import org.loranative.io.DType;
import org.loranative.model.WeightNorms;

/**
 * Every graph that a run can execute. All of them are planned before the first step, so that
 * nothing is sized by a graph of another kind or shape.
 *
 * @param training forward and backward, for each shape of training batches
 * @param evaluation loss alone, for each shape of measured batches
 * @param update an optimizer step
 * @param previews what drawing or answering runs
 * @param weightNorms the norms of the adapted weights
 * @param compute dtype of activations and of the frozen weights
 */
public record RunGraphs(
    Map<BatchShape, Graph> training,
    Map<BatchShape, Graph> evaluation,
    Graph update,
    List<Graph> previews,
    Graph weightNorms,
    DType compute) {

  public static <B> RunGraphs of(Training<B> kind, Steps<B> steps, Graph update, DType compute) {
    Task<B> task = kind.task();
    Map<BatchShape, Graph> training = new LinkedHashMap<>();
    steps.shapes().forEach((shape, batch) -> training.put(shape, task.trainingGraph(batch)));
    Map<BatchShape, Graph> evaluation = new LinkedHashMap<>();
    for (Task.EvaluationSet<B> set : task.evaluationSets()) {
      for (B batch : set.batches()) {
        evaluation.computeIfAbsent(task.shape(batch), s -> task.evaluationGraph(batch));
      }
    }
    return new RunGraphs(
        training,
        evaluation,
        update,
        kind.previewGraphs(),
        WeightNorms.graph(kind.weights(), kind.adapters(), compute),
        compute);
  }

  public List<Graph> all() {
    List<Graph> all = new ArrayList<>(training.values());
    all.addAll(evaluation.values());
    all.add(update);
    all.addAll(previews);
    all.add(weightNorms);
    return all;
  }
}
