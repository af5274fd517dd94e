package org.loranative.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import org.junit.jupiter.api.Test;

/** A family's file says only what differs. */
class FamilyTest {
  private static Family read(String yaml) throws JacksonException {
    return YAMLMapper.builder()
        .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
        .build()
        .readValue(yaml, Family.class);
  }

  @Test
  void whatIsLeftOutIsUsual() throws JacksonException {
    Family family = read("architectures: [SeedOssForCausalLM]");
    assertThat(family.sliding()).isEqualTo("by_layer_types");
    assertThat(family.ggufArchitectures()).isEmpty();
    assertThat(family.wrappers()).isEmpty();
  }

  @Test
  void otherWordsAndKeysAreRefused() {
    assertThatThrownBy(() -> read("architectures: [X]\nsliding: evry"))
        .hasMessageContaining("sliding is evry");
    assertThatThrownBy(() -> read("architectures: [X]\nqk_nrm: true"))
        .hasMessageContaining("qk_nrm");
  }
}
