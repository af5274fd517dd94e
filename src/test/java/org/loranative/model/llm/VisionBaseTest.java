package org.loranative.model.llm;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.io.Numbers;
import org.loranative.lora.Adapters;
import org.loranative.lora.PeftFormat;
import org.loranative.model.Family;
import org.loranative.testing.Golden;

/** Language models inside models that also see. */
class VisionBaseTest {
  @TempDir private Path folder;

  @Test
  void namesOfAnyAgeAreUnderstood() {
    Set<String> old =
        Set.of(
            "language_model.model.layers.0.mlp.up_proj.weight",
            "language_model.lm_head.weight",
            "vision_tower.vision_model.encoder.layers.0.self_attn.q_proj.weight");
    FolderNames names = new FolderNames(old, true);
    assertThat(names.ours())
        .containsExactlyInAnyOrder(
            "model.language_model.layers.0.mlp.up_proj.weight",
            "lm_head.weight",
            "vision_tower.vision_model.encoder.layers.0.self_attn.q_proj.weight");
    assertThat(names.inFile("lm_head.weight")).isEqualTo("language_model.lm_head.weight");
    FolderNames older = new FolderNames(Set.of("model.norm.weight", "visual.merger.weight"), true);
    assertThat(older.ours())
        .containsExactlyInAnyOrder("model.language_model.norm.weight", "visual.merger.weight");
    FolderNames plain = new FolderNames(Set.of("model.norm.weight"), false);
    assertThat(plain.inFile("model.norm.weight")).isEqualTo("model.norm.weight");
  }

  /** PEFT would put adapters on the tower's q_proj too where the last part of a path is written. */
  @Test
  void adaptersOfTheLanguageModelNameWholePaths() throws IOException {
    Path golden = Golden.FOLDER.resolve("gemma3-vision");
    LlmBase base = LlmBase.open(golden.resolve("base"));
    Path adapter = golden.resolve("adapter");
    Adapters adapters = PeftFormat.adapters(adapter, base.targets());
    assertThat(adapters.modules()).hasSize(14);
    Numbers params = PeftFormat.read(adapter, adapters);
    PeftFormat.write(folder, adapters, params, base.targetsAndOthers(), "gemma");
    JsonNode config = new ObjectMapper().readTree(folder.resolve("adapter_config.json").toFile());
    List<String> names = new ArrayList<>();
    config.path("target_modules").forEach(n -> names.add(n.asText()));
    assertThat(names)
        .contains("model.language_model.layers.1.self_attn.q_proj", "gate_proj")
        .doesNotContain("q_proj", "k_proj", "v_proj");
    assertThat(PeftFormat.read(folder, adapters).all()).isEqualTo(params.all());
  }

  @Test
  void everyFileOfTheFolderIsAFamily() {
    assertThat(Family.all())
        .extracting(Family::name)
        .contains("llama", "qwen2", "qwen3", "gemma2", "gemma3", "phi3", "smollm3");
    assertThat(Family.supported()).contains("SmolLM3ForCausalLM", "Gemma3ForConditionalGeneration");
  }
}
