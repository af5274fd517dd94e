package org.loranative.model.llm;

import java.util.ArrayList;
import java.util.List;
import org.loranative.UserException;
import org.loranative.graph.Shape;
import org.loranative.io.DType;
import org.loranative.lora.Adapters;
import org.loranative.model.weights.Weights;

/**
 * The experts of a base's mixtures, however its file holds them: as one tensor for all
 * (transformers 5), gate and up apart (GGUF), or each in its own ({@code
 * mlp.experts.7.gate_proj.weight}). Gate and up are also put together as transformers 5 has them,
 * since an adapter of experts changes both at once.
 *
 * @param names of their matrices
 * @param targets their layers that can be adapted, in the model's order
 */
record ExpertWeights(List<String> names, List<Adapters.Target> targets) {
  ExpertWeights {
    names = List.copyOf(names);
    targets = List.copyOf(targets);
  }

  /** Finds them, and checks their shapes. */
  static ExpertWeights find(LlmConfig config, Weights weights, String source) {
    List<String> names = new ArrayList<>();
    List<Adapters.Target> targets = new ArrayList<>();
    for (int i = 0; i < config.layers().size(); i++) {
      FeedForward all = config.layers().get(i).feedForward();
      if ((all instanceof BesideMixture two ? two.mixture() : all) instanceof MixtureMlp mixture) {
        Finder finder = new Finder(config, weights, source, config.inLayer(i, ""), mixture);
        finder.find();
        names.addAll(finder.names);
        targets.addAll(finder.targets);
      }
    }
    return new ExpertWeights(names, targets);
  }

  /** One layer's. */
  private static final class Finder {
    private final Weights weights;
    private final String source;
    private final String layer;
    private final MixtureMlp.Names modules;
    private final LlmConfig config;
    private final MixtureMlp mixture;
    private final int experts;
    private final List<String> names = new ArrayList<>();
    private final List<Adapters.Target> targets = new ArrayList<>();

    Finder(LlmConfig config, Weights weights, String source, String layer, MixtureMlp mixture) {
      this.config = config;
      this.mixture = mixture;
      this.weights = weights;
      this.source = source;
      this.layer = layer;
      this.modules = mixture.names();
      this.experts = mixture.experts();
    }

    void find() {
      long width = mixture.width();
      long hidden = config.hidden();
      String gateUp = weight(modules.gateUp());
      String gate = weight(modules.gate());
      String up = weight(modules.up());
      String down = weight(modules.down());
      if (weights.has(gate)) {
        require(gate, Shape.of(experts, width, hidden));
        require(up, Shape.of(experts, width, hidden));
        names.addAll(List.of(gate, up));
        if (mixture.unit().inTurn()) {
          weights.stackInTurn(gateUp, gate, up);
          if (weights.has(bias(modules.gate()))) {
            weights.stackInTurn(bias(modules.gateUp()), bias(modules.gate()), bias(modules.up()));
          }
        } else {
          weights.stack(gateUp, inTurn(weights.slices(gate), weights.slices(up)), experts);
        }
      } else if (!weights.has(gateUp)) {
        weights.stack(gateUp, inTurn(ofEach(gate), ofEach(up)), experts);
      }
      if (!weights.has(down)) {
        weights.stack(down, ofEach(down), experts);
      }
      if (config.family().transposedExperts() && !weights.has(gate)) {
        turn(gateUp);
        turn(down);
      }
      add(modules.gateUp(), 2 * width, hidden);
      add(modules.down(), hidden, width);
      require(weight(modules.router()), Shape.of(experts, hidden));
    }

    /** Where a folder has each expert's matrix as [in, out]; in blocks it is [out, in]. */
    private void turn(String name) {
      if (DType.named(weights.entry(name).type()).filter(DType::isBlocks).isEmpty()) {
        List<String> slices = weights.slices(name);
        slices.forEach(weights::transposed);
        weights.stack(name, slices, experts);
      }
    }

    private String weight(String module) {
      return layer + module + ".weight";
    }

    private String bias(String module) {
      return layer + module + ".bias";
    }

    private void add(String module, long out, long in) {
      require(weight(module), Shape.of(experts, out, in));
      names.add(weight(module));
      targets.add(Adapters.Target.ofExperts(layer + module, in, out, experts));
    }

    private List<String> ofEach(String name) {
      List<String> names = new ArrayList<>();
      for (int e = 0; e < experts; e++) {
        names.add(name.replace(".experts.", ".experts." + e + "."));
      }
      return names;
    }

    private static List<String> inTurn(List<String> first, List<String> second) {
      List<String> both = new ArrayList<>();
      for (int e = 0; e < first.size(); e++) {
        both.add(first.get(e));
        both.add(second.get(e));
      }
      return both;
    }

    private void require(String name, Shape shape) {
      if (!weights.shape(name).equals(shape)) {
        throw new UserException(
            String.format(
                "%s: tensor %s is %s, but its config needs %s.",
                source, weights.entry(name).name(), weights.shape(name), shape));
      }
    }
  }
}
