package org.loranative.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.loranative.UserException;
import org.loranative.io.JsonFile;
import org.loranative.io.Numbers;
import org.loranative.model.llm.LlmBase;
import org.loranative.testing.Golden;
import org.loranative.testing.TensorFiles;

/** What PEFT wrote is read, and written again with the same names, shapes and numbers. */
class PeftFormatTest {
  @TempDir Path folder;

  @Test
  void writesWhatPeftWrites() throws IOException {
    Path peft = Golden.FOLDER.resolve("qwen3/adapter");
    LlmBase base = LlmBase.open(Golden.FOLDER.resolve("qwen3/base"));
    Adapters adapters = PeftFormat.adapters(peft, base.targets());
    LoraSpec spec = adapters.specs().get(0);
    assertThat(spec.rank()).isEqualTo(3);
    assertThat(spec.scale()).isEqualTo(5.0 / 3);
    PeftFormat.write(folder, adapters, PeftFormat.read(peft, adapters), base.targets(), "base");

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

  /** A tower beside the language model has layers of the same names, which PEFT is to leave out. */
  @Test
  void layersOfATowerAreExcluded() throws IOException {
    for (String name : List.of("gemma4-vision", "qwen3")) {
      Path peft = Golden.FOLDER.resolve(name + "/adapter");
      LlmBase base = LlmBase.open(Golden.FOLDER.resolve(name + "/base"));
      Adapters adapters = PeftFormat.adapters(peft, base.targets());
      PeftFormat.write(folder, adapters, PeftFormat.read(peft, adapters), base.targets(), "base");
      JsonNode config = new ObjectMapper().readTree(folder.resolve("adapter_config.json").toFile());
      if (name.equals("qwen3")) {
        assertThat(config.has("exclude_modules")).isFalse();
      } else {
        assertThat("model.vision_tower.encoder.layers.0.self_attn.q_proj.linear")
            .matches(config.path("exclude_modules").asText());
        assertThat("model.language_model.layers.0.self_attn.q_proj")
            .doesNotMatch(config.path("exclude_modules").asText());
      }
    }
  }

  @Test
  void initialAdaptersAreKaimingUniform() {
    Adapters adapters =
        new Adapters(
            new LoraSpec(8, 8, 0, List.of("all-linear"), false),
            List.of(new Adapters.Target("a.q_proj", 400, 30), new Adapters.Target("b", 7, 5)));
    float[] flat = adapters.initial(3).all();
    Adapters.Module q = adapters.modules().get(0);
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < q.part("lora_A").part().size(); i++) {
      float x = flat[(int) q.part("lora_A").offset() + i];
      assertThat(Math.abs(x)).isLessThanOrEqualTo(0.05f);
      sum += x;
      squares += x * x;
    }
    assertThat(Math.abs(sum / q.part("lora_A").part().size())).isLessThan(0.003);
    double uniform = 0.05 * 0.05 / 3; // variance of U(-1/sqrt(400), 1/sqrt(400))
    assertThat(squares / q.part("lora_A").part().size())
        .isCloseTo(uniform, org.assertj.core.data.Percentage.withPercentage(10));
    for (int i = 0; i < q.part("lora_B").part().size(); i++) {
      assertThat(flat[(int) q.part("lora_B").offset() + i]).isZero();
    }
    assertThat(adapters.initial(3).all()).isEqualTo(flat);
    assertThat(adapters.initial(4).all()).isNotEqualTo(flat);
  }

  /** LoRA+: parts of one rate lie side by side, and a layer finds its own among them. */
  @Test
  void initialAdaptersOfOtherKindsAndRates() {
    AdapterMethod method =
        AdapterMethods.named(
                "lora", new AdapterMethod.Choices(-1, LoraInit.named("gaussian").orElseThrow(), 16))
            .orElseThrow();
    LoraSpec spec = new LoraSpec(method, 8, 8, 0, List.of("all-linear"), false, 2);
    Adapters adapters =
        new Adapters(
            spec, List.of(new Adapters.Target("a", 400, 30), new Adapters.Target("b", 7, 5)));
    assertThat(adapters.ranges().stream().map(Adapters.Range::rate)).containsExactly(2.0, 32.0);
    Adapters.Range second = adapters.ranges().get(1);
    Numbers flat = adapters.initial(3);
    for (Adapters.Module m : adapters.modules()) {
      assertThat(m.part("lora_A").offset()).isLessThan(second.from());
      assertThat(m.part("lora_B").offset()).isGreaterThanOrEqualTo(second.from());
      assertThat(m.part("lora_B").of(flat).all()).containsOnly(0);
    }
    assertThat(adapters.dead(flat)).isEqualTo(2);
    double squares = 0;
    float[] a = adapters.modules().get(0).part("lora_A").of(flat).all();
    for (float x : a) {
      squares += x * x;
    }
    assertThat(Math.sqrt(squares / a.length)) // PEFT's deviation is 1 / rank
        .isCloseTo(1 / 8.0, org.assertj.core.data.Percentage.withPercentage(5));
  }

  /**
   * PEFT 0.21 takes these names for the experts' in a mixture's dense layers too, and drops their
   * numbers, unless they are named by their weights.
   */
  @Test
  void denseLayersOfMixturesAreNamedByTheirWeights() throws IOException {
    List<Adapters.Target> layers =
        List.of(
            new Adapters.Target("model.layers.0.self_attn.q_proj", 8, 8),
            new Adapters.Target("model.layers.0.mlp.down_proj", 16, 8),
            Adapters.Target.ofExperts("model.layers.1.mlp.experts.down_proj", 6, 8, 4));
    List<String> targets = List.of("q_proj", "mlp.down_proj");
    Adapters adapters = new Adapters(new LoraSpec(2, 2, 0, targets, false), layers);
    Files.createDirectory(folder.resolve("plain"));
    PeftFormat.write(folder.resolve("plain"), adapters, adapters.initial(1), layers, "base");
    JsonNode config = JsonFile.read(folder.resolve("plain/adapter_config.json"));
    assertThat(config.path("target_modules"))
        .extracting(JsonNode::asText)
        .containsExactly("q_proj");
    assertThat(config.path("target_parameters"))
        .extracting(JsonNode::asText)
        .containsExactly("model.layers.0.mlp.down_proj.weight");
    assertThat(PeftFormat.read(folder.resolve("plain"), layers)).hasSize(2);
    Adapters dropping = new Adapters(new LoraSpec(2, 2, 0.1, targets, false), layers);
    Files.createDirectory(folder.resolve("drop"));
    PeftFormat.write(folder.resolve("drop"), dropping, dropping.initial(1), layers, "base");
    assertThat(JsonFile.read(folder.resolve("drop/adapter_config.json")).path("target_modules"))
        .hasSize(2);
  }

  /** What PEFT writes for all-linear, and what it wrote before transformers 5. */
  @ParameterizedTest
  @CsvSource({
    "model.layers.1.mlp.gate, the router of a mixture",
    "model.layers.1.mlp.experts.0.gate_proj, one expert by itself"
  })
  void saysWhatOfAMixtureIsNotRead(String path, String why) throws IOException {
    List<Adapters.Target> written = List.of(new Adapters.Target(path, 8, 4));
    Adapters adapters = new Adapters(new LoraSpec(2, 2, 0, List.of(path), false), written);
    PeftFormat.write(folder, adapters, adapters.initial(1), written, "base");
    List<Adapters.Target> base =
        List.of(Adapters.Target.ofExperts("model.layers.1.mlp.experts.down_proj", 6, 8, 4));
    assertThatThrownBy(() -> PeftFormat.adapters(folder, base))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(why);
  }

  @Test
  void foreignFoldersAreNamed() throws IOException {
    LlmBase other = LlmBase.open(Golden.FOLDER.resolve("llama/base"));
    assertThatThrownBy(() -> PeftFormat.adapters(folder, other.targets()))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("is not a PEFT adapter");
    config("{\"peft_type\":\"BOFT\",\"r\":4}");
    assertThatThrownBy(() -> PeftFormat.adapters(folder, other.targets()))
        .hasMessageContaining("peft_type is \"BOFT\"");
    Path lora = Golden.FOLDER.resolve("llama/adapter/adapter_model.safetensors");
    Files.copy(lora, folder.resolve("adapter_model.safetensors"));
    config("{\"peft_type\":\"LORA\",\"r\":4,\"use_dora\":true}");
    assertThatThrownBy(() -> PeftFormat.adapters(folder, other.targets()))
        .hasMessageContaining("is dora by its configuration")
        .hasMessageContaining("lora_magnitude_vector");
    config("{\"peft_type\":\"LORA\",\"r\":4,\"modules_to_save\":[\"lm_head\"]}");
    assertThatThrownBy(() -> PeftFormat.adapters(folder, other.targets()))
        .hasMessageContaining("modules_to_save names lm_head");
    config("{\"peft_type\":\"LORA\",\"r\":4,\"layer_replication\":[[0,1],[0,2]]}");
    assertThatThrownBy(() -> PeftFormat.adapters(folder, other.targets()))
        .hasMessageContaining("layer_replication is [[0,1],[0,2]]");
    for (String rows : List.of("[3,5]", "{\"embed_tokens\":[3]}")) {
      config("{\"peft_type\":\"LORA\",\"r\":4,\"trainable_token_indices\":" + rows + "}");
      assertThatThrownBy(() -> PeftFormat.adapters(folder, other.targets()))
          .hasMessageContaining("trainable_token_indices names " + rows + ", single rows")
          .hasMessageContaining("Train all of it (modules_to_save), or merge");
    }
    config("{\"peft_type\":\"LORA\",\"r\":4,\"init_lora_weights\":\"pissa_niter_16\"}");
    assertThatThrownBy(() -> PeftFormat.adapters(folder, other.targets()))
        .hasMessageContaining("init_lora_weights is \"pissa_niter_16\"");
    config("{\"peft_type\":\"LORA\",\"r\":4}");
    String embedding = "base_model.model.model.embed_tokens.";
    TensorFiles.empty()
        .with(embedding + "base_layer.weight", List.of(2L, 2L), 1, 2, 3, 4)
        .with(embedding + "lora_embedding_A", List.of(1L, 2L), 1, 2)
        .write(folder.resolve("adapter_model.safetensors"));
    assertThatThrownBy(() -> PeftFormat.adapters(folder, other.targets()))
        .hasMessageContaining("adapts an embedding");
    Path peft = Golden.FOLDER.resolve("gemma3/adapter");
    assertThatThrownBy(() -> PeftFormat.adapters(peft, other.targets()))
        .isInstanceOf(UserException.class);
  }

  /** PEFT parts tied matrices unless it is told not to; what fits one matrix is read. */
  @Test
  void tiedMatricesStayOne() throws IOException {
    Path tied = Golden.FOLDER.resolve("adapters/whole-tied/start");
    LlmBase base = LlmBase.open(Golden.FOLDER.resolve("llama/base"));
    Path weights = tied.resolve("adapter_model.safetensors");
    String config = Files.readString(tied.resolve("adapter_config.json"));
    String apart =
        config.replace("\"ensure_weight_tying\": true", "\"ensure_weight_tying\": false");
    assertThat(apart).isNotEqualTo(config);
    Path file = folder.resolve("adapter_model.safetensors");

    Files.copy(weights, file);
    config(apart);
    AdaptedLayer read = PeftFormat.read(folder, base.adaptable()).get("model.embed_tokens");
    float[] whole = read.numbers("whole"); // before the file is another
    assertThat(whole).isNotEmpty();
    String head = "base_model.model.lm_head.weight";
    TensorFiles.like(weights, name -> name.equals(head) ? "" : name).write(file);
    config(config.replace("\"lm_head\"", "\"embed_tokens\""));
    assertThat(PeftFormat.read(folder, base.adaptable()).get("model.embed_tokens").numbers("whole"))
        .isEqualTo(whole);
    config(apart);
    assertThatThrownBy(() -> PeftFormat.read(folder, base.adaptable()))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("trained with the head apart from the embedding");
    float[] other = whole.clone();
    other[5] += 1;
    List<Long> shape = List.of(read.target().out(), read.target().in());
    TensorFiles.like(weights).with(head, shape, other).write(file);
    assertThatThrownBy(() -> PeftFormat.read(folder, base.adaptable()))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("trained with the head apart from the embedding");
  }

  private void config(String json) throws IOException {
    Files.writeString(folder.resolve("adapter_config.json"), json);
  }

  /**
   * Single layers, ranks and alphas of their own come back, and PEFT would find the same layers.
   */
  @Test
  void keepsAdaptersOnSingleLayers() throws IOException {
    LlmBase base = LlmBase.open(Golden.FOLDER.resolve("llama/base"));
    List<LoraSpec> specs =
        List.of(
            new LoraSpec(4, 8, 0, List.of("layers.0.self_attn.q_proj", "down_proj"), false),
            new LoraSpec(2, 6, 0, List.of("layers.1.mlp.down_proj"), false));
    Adapters adapters = new Adapters(specs, base.targets());
    float[] params = adapters.initial(7).all();
    for (int i = 0; i < params.length; i++) {
      params[i] += i % 13;
    }
    PeftFormat.write(folder, adapters, Numbers.of(params), base.targets(), "base");
    JsonNode config = new ObjectMapper().readTree(folder.resolve("adapter_config.json").toFile());
    assertThat(config.path("target_modules"))
        .extracting(JsonNode::asText)
        .containsExactlyInAnyOrder("model.layers.0.self_attn.q_proj", "down_proj");
    Adapters again = PeftFormat.adapters(folder, base.targets());
    for (Adapters.Module m : adapters.modules()) {
      Adapters.Module n = again.find(m.path()).orElseThrow();
      assertThat(n.rank()).as(m.path()).isEqualTo(m.rank());
      assertThat(n.scale()).as(m.path()).isEqualTo(m.scale());
    }
    assertThat(again.modules()).hasSameSizeAs(adapters.modules());
    Map<String, AdaptedLayer> layers = PeftFormat.read(folder, base.targets());
    AdaptedLayer q = layers.get("model.layers.0.self_attn.q_proj");
    int at =
        (int)
            adapters.find("model.layers.0.self_attn.q_proj").orElseThrow().part("lora_A").offset();
    assertThat(q.numbers("lora_A"))
        .containsExactly(java.util.Arrays.copyOfRange(params, at, at + q.numbers("lora_A").length));
  }

  /** However PEFT's config chose the layers, the tensors say which they are. */
  @Test
  void readsLayersFromTheTensors() throws IOException {
    Path peft = Golden.FOLDER.resolve("qwen3/adapter");
    LlmBase base = LlmBase.open(Golden.FOLDER.resolve("qwen3/base"));
    Files.copy(
        peft.resolve("adapter_model.safetensors"), folder.resolve("adapter_model.safetensors"));
    config(
        "{\"peft_type\":\"LORA\",\"r\":99,\"lora_alpha\":6,"
            + "\"target_modules\":\".*layers\\\\.[01]\\\\..*_proj\",\"exclude_modules\":[\"x\"],"
            + "\"layers_to_transform\":[0,1],\"rank_pattern\":{\"^a.*\":3},"
            + "\"alpha_pattern\":{\"layers\\\\.0\\\\..*q_proj\":9}}");
    Adapters adapters = PeftFormat.adapters(folder, base.targets());
    assertThat(adapters.modules())
        .hasSameSizeAs(PeftFormat.adapters(peft, base.targets()).modules());
    assertThat(adapters.modules()).allMatch(m -> m.rank() == 3);
    for (Adapters.Module m : adapters.modules()) {
      boolean first = m.path().equals("model.layers.0.self_attn.q_proj");
      assertThat(m.spec().alpha()).as(m.path()).isEqualTo(first ? 9 : 6);
    }
  }

  /** What an adapter does to the base stays the same, whatever alpha the run has. */
  @Test
  void startsFromTheEffectOfAnAdapter() {
    Path peft = Golden.FOLDER.resolve("qwen3/adapter");
    LlmBase base = LlmBase.open(Golden.FOLDER.resolve("qwen3/base"));
    Map<String, AdaptedLayer> theirs = PeftFormat.read(peft, base.targets());
    AdaptedLayer one = theirs.values().iterator().next();
    Adapters run =
        new Adapters(new LoraSpec(4, 40, 0, List.copyOf(theirs.keySet()), false), base.targets());
    float[] params = InitAdapter.of(peft, theirs, run, 1).all();
    Adapters.Module m = run.find(one.target().path()).orElseThrow();
    double before = 0;
    double after = 0;
    for (int r = 0; r < 4; r++) {
      float a = params[(int) m.part("lora_A").offset() + r * (int) m.in()];
      after += m.scale() * a * params[(int) m.part("lora_B").offset() + r];
      before +=
          r < 3
              ? one.scale() * one.numbers("lora_A")[r * (int) m.in()] * one.numbers("lora_B")[r]
              : 0;
    }
    assertThat(before).isNotZero();
    assertThat(after).isCloseTo(before, org.assertj.core.data.Percentage.withPercentage(0.001));
  }
}
