package org.loranative.model.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.UserException;
import org.loranative.lora.Adapters;
import org.loranative.lora.Adapters.Target;

/** Names of a mixture's layers, with dense layers beside and without. */
class ExpertNamesTest {
  private static final List<Target> EXPERTS =
      List.of(
          new Target("model.layers.1.self_attn.q_proj", 8, 8),
          Target.ofExperts("model.layers.1.mlp.experts.gate_up_proj", 8, 12, 4),
          Target.ofExperts("model.layers.1.mlp.experts.down_proj", 6, 8, 4));

  private static final List<Target> WITH_DENSE =
      List.of(
          new Target("model.layers.0.mlp.gate_proj", 8, 16),
          new Target("model.layers.0.mlp.up_proj", 8, 16),
          new Target("model.layers.0.mlp.down_proj", 16, 8),
          EXPERTS.get(0),
          EXPERTS.get(1),
          EXPERTS.get(2));

  @Test
  void halvesStandForBoth() {
    assertThat(new ExpertNames(EXPERTS).layers("gate_proj")).containsExactly("gate_up_proj");
    assertThat(new ExpertNames(WITH_DENSE).layers("up_proj"))
        .containsExactly("up_proj", "gate_up_proj");
    new ExpertNames(WITH_DENSE).require(List.of("gate_proj", "up_proj", "down_proj"));
    new ExpertNames(WITH_DENSE).require(List.of("mlp.gate_proj", "gate_up_proj"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"gate_proj", "up_proj", "experts.gate_proj"})
  void oneHalfIsRefused(String half) {
    for (List<Target> targets : List.of(EXPERTS, WITH_DENSE)) {
      ExpertNames names = new ExpertNames(targets);
      assertThatThrownBy(() -> names.require(List.of("q_proj", half)))
          .isInstanceOf(UserException.class)
          .hasMessageContaining("Name both, or gate_up_proj");
    }
  }

  @Test
  void saysWhatTheModelHas() {
    assertThatThrownBy(
            () ->
                new Adapters(
                    new org.loranative.lora.LoraSpec(1, 1, 0, List.of("w"), false), WITH_DENSE))
        .hasMessageContaining("all-linear takes them all but the experts'");
  }
}
