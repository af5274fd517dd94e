package org.loranative.export;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.loranative.io.JsonFile;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorStream;
import org.loranative.model.Family;
import org.loranative.model.llm.LlmBase;
import org.loranative.model.weights.Formula;
import org.loranative.model.weights.Reading;
import org.loranative.text.AdapterTemplate;
import org.loranative.text.Tokenizer;
import org.loranative.track.Phase;

/** A GGUF's language model as a Hugging Face folder. */
record GgufToFolder(LlmBase base) {
  private static final ObjectMapper VALUES = new ObjectMapper();

  /** What families call the number of experts; a GGUF's is translated to the first. */
  private static final List<String> EXPERTS =
      List.of("num_experts", "num_local_experts", "n_routed_experts");

  void write(
      MergedTensors merged,
      RegroupedTensors regrouped,
      TypeChoice choice,
      Optional<AdapterTemplate> template,
      Path folder)
      throws IOException {
    List<TensorStream> own = new ArrayList<>(regrouped.inFolder());
    List<String> names = base.tensorNames().stream().filter(n -> !regrouped.holds(n)).toList();
    for (String name : names) {
      Reading reading = base.weights().reading(name);
      TensorEntry entry = reading.entry();
      Form form = new Form(reading.rows(), reading.columns(), formula(name, reading));
      own.add(merged.stream(entry, base.nameInFolder(name), choice.of(entry), form));
    }
    Phase phase = new Phase("tensors written", own.size());
    List<TensorStream> tensors = own.stream().map(tensor -> Merge.followed(tensor, phase)).toList();
    try (Tokenizer tokenizer = base.tokenizer()) {
      template.ifPresent(t -> t.giveAloud(tokenizer, base.path()));
      base.writeTokenizer(tokenizer, folder);
      JsonFile.write(folder.resolve("config.json"), config(tokenizer, choice));
    }
    ShardedFile.write(folder, "model", tensors, Merge.SHARD);
  }

  /** Norms of some families are counted from a number in folders. */
  private Formula formula(String name, Reading reading) {
    return base.config().countsFromOffset(name)
        ? new Formula.Plus(-family().normOffset())
        : reading.formula();
  }

  private Family family() {
    return base.config().family();
  }

  private ObjectNode config(Tokenizer tokenizer, TypeChoice choice) {
    ObjectNode config = VALUES.createObjectNode();
    config.putArray("architectures").add(family().architectures().get(0));
    config.put("model_type", family().modelType());
    new TreeMap<>(base.settings())
        .forEach(
            (key, value) -> {
              if (value != null) {
                config.set(key, VALUES.valueToTree(value));
              }
            });
    config.put(FolderConfig.VOCABULARY, base.config().vocab());
    if (base.hasExperts()) {
      for (String name : EXPERTS) {
        config.set(name, config.get(EXPERTS.get(0)));
      }
      config.set("top_k_experts", config.get("num_experts_per_tok"));
    }
    if (base.weights().has("model.layers.0.self_attn.q_proj.bias")) {
      config.put("attention_bias", true);
    }
    base.ropeScaling().ifPresent(rope -> config.set("rope_scaling", VALUES.valueToTree(rope)));
    if (family().untruncatedYarn() && config.get("rope_scaling") instanceof ObjectNode rope) {
      rope.put("truncate", false);
    }
    config.put("tie_word_embeddings", !base.weights().has("lm_head.weight"));
    config.put("torch_dtype", FolderConfig.TORCH.get(choice.ofMatrices(base)));
    tokenizer.bos().ifPresent(id -> config.put("bos_token_id", id));
    tokenizer.eos().ifPresent(id -> config.put("eos_token_id", id));
    return config;
  }
}
