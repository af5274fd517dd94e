package org.loranative.model.llm;

import java.util.Optional;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Route;
import org.loranative.graph.ops.Routed;
import org.loranative.graph.ops.SigmoidRoute;

/** How a mixture chooses the experts of a token: one kind is one record. */
interface Router {
  /**
   * The choice by logits [tokens, experts].
   *
   * @param path of the router's module
   */
  Routed choose(LayerNet at, String path, Value logits);

  /**
   * By the softmax of all logits.
   *
   * @param chosen k
   * @param normalize whether the weights of a token's experts are divided by their sum
   */
  record Softmax(int chosen, boolean normalize) implements Router {
    @Override
    public Routed choose(LayerNet at, String path, Value logits) {
      return Route.of(at.graph(), logits, chosen, normalize);
    }
  }

  /** By the sigmoid of each logit, corrected by a bias that keeps experts equally busy. */
  record Sigmoid(int chosen, SigmoidRoute.Setting setting) implements Router {
    /** The bias of each expert. */
    static final String CORRECTION = ".correction.bias";

    @Override
    public Routed choose(LayerNet at, String path, Value logits) {
      String bias = path + CORRECTION;
      Optional<Value> correction =
          at.net().weights().has(bias) ? Optional.of(at.net().vector(bias)) : Optional.empty();
      return SigmoidRoute.of(at.graph(), logits, correction, chosen, setting);
    }
  }
}
