package org.loranative.model.llm;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.graph.Value;
import org.loranative.graph.ops.RmsNorm;

/**
 * Attention that norms values too, though without a weight (Gemma 4). Layers may read the keys and
 * values of an earlier one and project queries alone: its cache is theirs, and its projections get
 * the gradients of all.
 *
 * @param keysAreValues whether values are what keys are before norm and rotation
 * @param giver index of the layer whose keys and values are read; none where a layer has its own
 */
record NormedValues(SelfAttention attention, boolean keysAreValues, Optional<Integer> giver)
    implements Mixer {

  @Override
  public List<Projection> linears(long hidden) {
    List<Projection> all = new ArrayList<>(attention.linears(hidden));
    all.removeIf(
        p ->
            p.name().equals(SelfAttention.KEY) && giver.isPresent()
                || p.name().equals(SelfAttention.VALUE) && (giver.isPresent() || keysAreValues));
    return all;
  }

  /** A norm without a weight is one with ones. */
  @Override
  public Map<String, float[]> constants() {
    float[] ones = new float[attention.headDim()];
    Arrays.fill(ones, 1);
    return Map.of(ones(), ones);
  }

  private String ones() {
    return "values.ones." + attention.headDim();
  }

  @Override
  public boolean rotatesLocally() {
    return attention.rotatesLocally();
  }

  @Override
  public Value mix(LayerNet at, Value x) {
    Value q = attention.queries(at, at.linear(SelfAttention.QUERY, x));
    LayerNet there = giver.map(at::withCacheOf).orElse(at);
    LayerNet.Keys keys = giver.map(at.given()::get).orElseGet(() -> keys(at, x));
    at.given().put(there.index(), keys);
    // Before a cache the giver's rows are written once more, as they are there already.
    Value o =
        at.tokens().attend(there, q, keys.k(), keys.v(), Optional.empty(), attention.setting(at));
    return at.linear(SelfAttention.OUTPUT, o);
  }

  private LayerNet.Keys keys(LayerNet at, Value x) {
    List<Value> kv =
        keysAreValues
            ? List.of(at.linear(SelfAttention.KEY, x))
            : at.linears(x, SelfAttention.KEY, SelfAttention.VALUE);
    Value k = kv.get(0);
    Value v = kv.get(kv.size() - 1);
    Value ones = at.net().constant(ones(), attention.headDim());
    String path = at.path() + "self_attn.v_norm";
    Value normed = RmsNorm.of(at.graph(), path, v, Optional.empty(), ones, at.normEps()).y();
    return new LayerNet.Keys(attention.keys(at, k), normed);
  }
}
