package org.loranative.model.llm;

import java.util.Optional;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Affine;
import org.loranative.graph.ops.Embedding;
import org.loranative.graph.ops.GatedAdd;
import org.loranative.graph.ops.Route;
import org.loranative.graph.ops.Routed;
import org.loranative.graph.ops.SigmoidRoute;
import org.loranative.io.DType;

/** How a mixture chooses the experts of a token: one kind is one record. */
interface Router {
  /** How many experts a token goes to. */
  int chosen();

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

  /**
   * By the softmax, divided by the sum of a token's experts and then multiplied by a number that
   * each expert has (Gemma 4).
   *
   * @param experts E
   * @param scales name of the numbers within a layer, [E]
   */
  record Scaled(int chosen, int experts, String scales) implements Router {
    @Override
    public Routed choose(LayerNet at, String path, Value logits) {
      Graph g = at.graph();
      Route route = Route.of(g, logits, chosen, true);
      Value table = g.named(Kind.WEIGHT, at.path() + scales, DType.F32, Shape.of(experts, 1));
      Value ofEach = Embedding.of(g, route.chosen(), table, 1);
      // w s as w + (s - 1) w; numbers of slots stand as the weights do.
      Value more = g.like(route.weights(), "expert_scales");
      g.add(new Affine(ofEach, more, 1, -1));
      Value scaled =
          GatedAdd.of(g, "expert_weights.scaled", route.weights(), route.weights(), more);
      return new Reweighed(route, scaled);
    }
  }

  /** Another's choice with other weights. */
  record Reweighed(Routed choice, Value weights) implements Routed {
    @Override
    public Value chosen() {
      return choice.chosen();
    }

    @Override
    public Value order() {
      return choice.order();
    }

    @Override
    public Value place() {
      return choice.place();
    }

    @Override
    public Value offsets() {
      return choice.offsets();
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
