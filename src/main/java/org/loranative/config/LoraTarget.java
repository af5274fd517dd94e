package org.loranative.config;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * An entry of {@code lora_targets}: a name alone, or a name with settings of its own.
 *
 * @param target a layer's name or a group's
 * @param rank instead of lora_rank; alpha then is the rank unless it is given too
 */
public record LoraTarget(
    String target, Optional<Integer> rank, Optional<Double> alpha, Optional<Double> learningRate) {

  /** With the run's settings. */
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public static LoraTarget named(String target) {
    return new LoraTarget(target, Optional.empty(), Optional.empty(), Optional.empty());
  }

  @JsonCreator(mode = JsonCreator.Mode.PROPERTIES)
  static LoraTarget of(
      @JsonProperty("target") String target,
      @JsonProperty("rank") Integer rank,
      @JsonProperty("alpha") Double alpha,
      @JsonProperty("learning_rate") Double learningRate) {
    return new LoraTarget(
        target == null ? "" : target,
        Optional.ofNullable(rank),
        Optional.ofNullable(alpha),
        Optional.ofNullable(learningRate));
  }

  /** As it is written in YAML. */
  @JsonValue
  Object yaml() {
    if (rank.isEmpty() && alpha.isEmpty() && learningRate.isEmpty()) {
      return target;
    }
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("target", target);
    rank.ifPresent(r -> map.put("rank", r));
    alpha.ifPresent(a -> map.put("alpha", a));
    learningRate.ifPresent(l -> map.put("learning_rate", l));
    return map;
  }
}
