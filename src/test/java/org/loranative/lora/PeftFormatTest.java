package org.loranative.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.UserException;
import org.loranative.model.llm.LlmBase;
import org.loranative.testing.Golden;

/** What PEFT wrote is read, and written again with the same names, shapes and numbers. */
class PeftFormatTest {
  @TempDir Path folder;

  @Test
  void writesWhatPeftWrites() throws IOException {
    Path peft = Golden.FOLDER.resolve("qwen3/adapter");
    LlmBase base = LlmBase.open(Golden.FOLDER.resolve("qwen3/base"));
    LoraSpec spec = PeftFormat.readSpecs(peft).get(0);
    assertThat(spec.rank()).isEqualTo(3);
    assertThat(spec.scale()).isEqualTo(5.0 / 3);
    Adapters adapters = new Adapters(spec, base.targets());
    PeftFormat.write(folder, adapters, PeftFormat.read(peft, adapters), "base");

    Golden theirs = new Golden(peft.resolve("adapter_model.safetensors"));
    Golden ours = new Golden(folder.resolve("adapter_model.safetensors"));
    assertThat(ours.tensors().keySet()).isEqualTo(theirs.tensors().keySet());
    for (String name : theirs.tensors().keySet()) {
      assertThat(ours.floats(name)).as(name).isEqualTo(theirs.floats(name));
      assertThat(ours.tensors().get(name).shape()).isEqualTo(theirs.tensors().get(name).shape());
    }
    ObjectMapper json = new ObjectMapper();
    JsonNode a = json.readTree(folder.resolve("adapter_config.json").toFile());
    JsonNode b = json.readTree(peft.resolve("adapter_config.json").toFile());
    for (String key : List.of("peft_type", "r", "use_rslora", "bias", "fan_in_fan_out")) {
      assertThat(a.path(key)).as(key).isEqualTo(b.path(key));
    }
    assertThat(a.path("lora_alpha").asDouble()).isEqualTo(b.path("lora_alpha").asDouble());
    assertThat(a.path("target_modules"))
        .containsExactlyInAnyOrderElementsOf(b.path("target_modules"));
  }

  @Test
  void initialAdaptersAreKaimingUniform() {
    Adapters adapters =
        new Adapters(
            new LoraSpec(8, 8, 0, List.of("all-linear"), false),
            List.of(new Adapters.Target("a.q_proj", 400, 30), new Adapters.Target("b", 7, 5)));
    float[] flat = adapters.initial(3);
    Adapters.Module q = adapters.modules().get(0);
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < q.aSize(); i++) {
      float x = flat[(int) q.aOffset() + i];
      assertThat(Math.abs(x)).isLessThanOrEqualTo(0.05f);
      sum += x;
      squares += x * x;
    }
    assertThat(Math.abs(sum / q.aSize())).isLessThan(0.003);
    double uniform = 0.05 * 0.05 / 3; // variance of U(-1/sqrt(400), 1/sqrt(400))
    assertThat(squares / q.aSize())
        .isCloseTo(uniform, org.assertj.core.data.Percentage.withPercentage(10));
    for (int i = 0; i < q.bSize(); i++) {
      assertThat(flat[(int) q.bOffset() + i]).isZero();
    }
    assertThat(adapters.initial(3)).isEqualTo(flat);
    assertThat(adapters.initial(4)).isNotEqualTo(flat);
  }

  @Test
  void foreignFoldersAreNamed() throws IOException {
    assertThatThrownBy(() -> PeftFormat.readSpecs(folder))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("is not a PEFT adapter");
    Files.writeString(
        folder.resolve("adapter_config.json"),
        "{\"peft_type\":\"LORA\",\"r\":4,\"use_dora\":true}");
    assertThatThrownBy(() -> PeftFormat.readSpecs(folder)).hasMessageContaining("use_dora");
    LlmBase other = LlmBase.open(Golden.FOLDER.resolve("llama/base"));
    Path peft = Golden.FOLDER.resolve("gemma3/adapter");
    assertThatThrownBy(
            () -> PeftFormat.read(peft, new Adapters(PeftFormat.readSpecs(peft), other.targets())))
        .isInstanceOf(UserException.class);
  }
}
