package org.loranative.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.loranative.UserException;

/** The same layers as PEFT 0.21's {@code get_pattern_key} chooses. */
class PeftPatternsTest {
  private static double rank(String patterns, String path) throws Exception {
    var config = new ObjectMapper().readTree("{\"rank_pattern\":{" + patterns + "}}");
    return PeftPatterns.number(Path.of("adapter_config.json"), config, "rank_pattern", path, 8);
  }

  @Test
  void theFirstPatternThatIsThePathsEndCounts() throws Exception {
    String both = "\"to_q\":4,\"down.*to_q\":2";
    assertThat(rank(both, "down_blocks.0.attn1.to_q")).isEqualTo(4);
    assertThat(rank("\"down.*to_q\":2,\"to_q\":4", "down_blocks.0.attn1.to_q")).isEqualTo(2);
    assertThat(rank("\"to_q\":4", "attn1.not_to_q")).isEqualTo(8);
    assertThat(rank("\"layers\\\\.[01]\\\\.q_proj\":3", "layers.1.q_proj")).isEqualTo(3);
    assertThat(rank("\"layers\\\\.[01]\\\\.q_proj\":3", "layers.2.q_proj")).isEqualTo(8);
    assertThat(
            rank(
                "\"text_model.encoder.layers.0.self_attn.q_proj\":5",
                "encoder.layers.0.self_attn.q_proj"))
        .isEqualTo(5);
  }

  @Test
  void whatIsNoRegularExpressionIsNamed() {
    assertThatThrownBy(() -> rank("\"to_(q\":4", "to_q"))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "adapter_config.json: rank_pattern has the key \"to_(q\", which is not a regular"
                + " expression.");
  }
}
