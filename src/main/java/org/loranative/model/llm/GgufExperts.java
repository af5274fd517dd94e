package org.loranative.model.llm;

import org.loranative.graph.ops.SigmoidRoute;
import org.loranative.io.GgufMetadata;
import org.loranative.model.weights.Weights;

/**
 * What a GGUF says of mixtures of experts.
 *
 * @param architecture which the keys begin with
 */
record GgufExperts(String architecture) {
  /** llama.cpp's number of routers that choose by sigmoids. */
  private static final int BY_SIGMOID = 2;

  private String key(String name) {
    return architecture + "." + name;
  }

  void describe(GgufMetadata metadata, LlmConfig c, Weights weights) {
    int dense = 0;
    boolean sigmoid = false;
    for (int i = 0; i < c.layers().size(); i++) {
      FeedForward all = c.layers().get(i).feedForward();
      if ((all instanceof BesideMixture two ? two.mixture() : all) instanceof MixtureMlp mixture) {
        metadata.uint32(key("expert_count"), mixture.experts());
        metadata.uint32(key("expert_used_count"), mixture.router().chosen());
        metadata.uint32(key("expert_feed_forward_length"), mixture.width());
        shared(metadata, mixture, c.inLayer(i, ""), weights);
        if (mixture.router() instanceof Router.Sigmoid router) {
          describe(metadata, router.setting());
          sigmoid = true;
        }
      } else {
        dense++;
      }
    }
    if (sigmoid) {
      metadata.uint32(key("leading_dense_block_count"), dense);
    }
  }

  /** The expert that every token goes to: its width, or how many it stands for. */
  private void shared(GgufMetadata metadata, MixtureMlp mixture, String layer, Weights weights) {
    FeedForward shared = mixture.shared().orElse(null);
    if (shared instanceof SharedExpert one) {
      metadata.uint32(key("expert_shared_feed_forward_length"), width(one.mlp(), layer, weights));
    } else if (shared instanceof GatedMlp some) {
      metadata.uint32(key("expert_shared_count"), width(some, layer, weights) / mixture.width());
    }
  }

  private static long width(GatedMlp mlp, String layer, Weights weights) {
    return weights.shape(layer + mlp.path() + ".up_proj.weight").dim(0);
  }

  private void describe(GgufMetadata metadata, SigmoidRoute.Setting setting) {
    metadata.uint32(key("expert_gating_func"), BY_SIGMOID);
    metadata.float32(key("expert_weights_scale"), setting.scale());
    metadata.bool(key("expert_weights_norm"), setting.normalize());
    metadata.uint32(key("expert_group_count"), setting.groups());
    metadata.uint32(key("expert_group_used_count"), setting.topGroups());
  }
}
