package org.loranative.export;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.loranative.device.CpuDevice;
import org.loranative.graph.Graph;
import org.loranative.io.DType;
import org.loranative.io.Gguf;
import org.loranative.io.GgufMetadata;
import org.loranative.io.GgufWriter;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorStream;
import org.loranative.lora.AdaptedLayer;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Mix;
import org.loranative.model.llm.LlmBase;
import org.loranative.model.llm.LlmGraph;
import org.loranative.testing.Golden;
import org.loranative.testing.PlacedModel;
import org.loranative.testing.TensorFiles;

/** Tests that compare what language models predict, and make the files that they compare. */
abstract class Predicting {
  private static final int TOKENS = 20;
  private static CpuDevice cpu;

  @BeforeAll
  static void open() {
    cpu = new CpuDevice(1);
  }

  @AfterAll
  static void close() {
    cpu.close();
  }

  static float[] logits(LlmBase base, List<Mix.Part> parts) {
    Mix mix = Mix.of(base.targets(), parts);
    int vocabulary = base.config().vocab();
    int[] ids = new int[TOKENS];
    int[] positions = new int[TOKENS];
    for (int i = 0; i < TOKENS; i++) {
      ids[i] = (7 * i * i + 3) % vocabulary;
      positions[i] = i;
    }
    Graph graph = LlmGraph.logits(base, mix.adapters(), DType.F32, TOKENS, TOKENS);
    try (PlacedModel placed =
        new PlacedModel(cpu, base.weights(), mix.adapters(), base.constants(), graph)) {
      placed.state().write(AdapterState.PARAMS, mix.params());
      return placed
          .run(
              graph,
              Map.of(
                  LlmGraph.IDS,
                  ids,
                  LlmGraph.POSITIONS,
                  positions,
                  LlmGraph.DOC_START,
                  new int[TOKENS]),
              1,
              1)
          .values()
          .iterator()
          .next();
    }
  }

  static float[] logits(Path model) {
    return logits(LlmBase.open(model), List.of());
  }

  /** Of base and adapter together. */
  static float[] both(LlmBase base, Path adapter, double scale) {
    Map<String, AdaptedLayer> layers = LanguageAdapters.read(adapter, base);
    return logits(base, List.of(new Mix.Part(layers, scale)));
  }

  /** A GGUF with its matrices in another type. */
  static void requantize(Path from, Path to, DType type) throws Exception {
    LlmBase base = LlmBase.open(from);
    List<TensorStream> tensors = new ArrayList<>();
    try (MergedTensors same = new MergedTensors(base.weights(), Map.of())) {
      for (TensorEntry e : base.file().tensors().values()) {
        boolean matrix = e.shape().size() > 1 && e.columns() % type.elementsPerBlock == 0;
        DType chosen = matrix ? type : DType.F32;
        tensors.add(same.stream(e, e.name(), Optional.of(chosen), Form.SAME));
      }
      GgufMetadata metadata = Gguf.metadata(from);
      GgufWriter.write(to, metadata, tensors);
    }
  }

  /** A model of the golden files with a tokenizer, which they do without. */
  static Path withTokenizer(String model, Path folder) throws Exception {
    Path base = TensorFiles.copy(Golden.FOLDER.resolve(model).resolve("base"), folder.resolve("b"));
    Files.writeString(
        base.resolve("tokenizer.json"),
        """
        {"version": "1.0", "truncation": null, "padding": null, "normalizer": null,
         "added_tokens": [{"id": 3, "content": "<e>", "single_word": false, "lstrip": false,
           "rstrip": false, "normalized": false, "special": true}],
         "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
           "use_regex": true},
         "post_processor": null, "decoder": {"type": "ByteLevel", "add_prefix_space": true,
           "trim_offsets": true, "use_regex": true},
         "model": {"type": "BPE", "dropout": null, "unk_token": null,
           "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": false,
           "byte_fallback": false, "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]}}
        """);
    // GGUF does not say it: readers take the heads' width.
    Path config = base.resolve("config.json");
    Files.writeString(
        config,
        Files.readString(config)
            .replace("\"query_pre_attn_scalar\": 12", "\"query_pre_attn_scalar\": 16"));
    Files.writeString(base.resolve("tokenizer_config.json"), "{\"eos_token\":\"<e>\"}");
    return base;
  }
}
