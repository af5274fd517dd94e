package org.loranative.gpucheck;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.loranative.io.DType;
import org.loranative.io.Safetensors;
import org.loranative.testing.Bf16;

/**
 * Writes model folders of given shapes: random numbers in bf16, or no numbers at all, which is
 * enough to plan ({@code benchmarks/roofline.py}).
 */
public final class RandomModel {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final double STD = 0.02;

  /** Where tensors of all sizes take their numbers from. */
  private final ByteBuffer matrices;

  private final ByteBuffer norms;
  private final boolean sparse;

  /**
   * @param sparse files of the right size without numbers
   * @param largest tensor to come, in elements
   */
  RandomModel(boolean sparse, long largest) {
    this.sparse = sparse;
    matrices = numbers(sparse ? 0 : largest, 0);
    norms = numbers(sparse ? 0 : 1 << 16, 1);
  }

  private static ByteBuffer numbers(long count, double mean) {
    SplittableRandom random = new SplittableRandom(7);
    short[] normals = new short[1 << 14];
    java.util.Random gauss = new java.util.Random(7);
    for (int i = 0; i < normals.length; i++) {
      normals[i] = Bf16.bits((float) (mean + STD * gauss.nextGaussian()));
    }
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(Math.toIntExact((count + 3) / 4 * 8))
            .order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      long four = random.nextLong();
      for (int i = 0; i < 4; i++) {
        bytes.putShort(normals[(int) (four >>> 16 * i & normals.length - 1)]);
      }
    }
    return bytes.flip();
  }

  /** Writes a file of tensors of these shapes. */
  void tensors(Path file, Map<String, long[]> shapes) throws IOException {
    Files.createDirectories(file.getParent());
    if (sparse) {
      shapesOnly(file, shapes);
      return;
    }
    List<Safetensors.Tensor> tensors = new ArrayList<>();
    shapes.forEach(
        (name, shape) -> {
          DType type = typeOf(name);
          int bytes = Math.toIntExact(type.bytes(elements(shape)));
          boolean norm = name.contains("norm") && name.endsWith(".weight");
          ByteBuffer data = (norm ? norms : matrices).slice(0, bytes);
          List<Long> dims = LongStream.of(shape).boxed().toList();
          tensors.add(new Safetensors.Tensor(name, type, dims, data));
        });
    Safetensors.write(file, tensors, Map.of());
  }

  /** Numbers packed in 4 bits, and their scales, are bytes. */
  private static DType typeOf(String name) {
    return name.endsWith("_blocks") || name.endsWith("_scales") ? DType.U8 : DType.BF16;
  }

  private static long elements(long[] shape) {
    return LongStream.of(shape).reduce(1, Math::multiplyExact);
  }

  private static void shapesOnly(Path file, Map<String, long[]> shapes) throws IOException {
    ObjectNode header = JSON.createObjectNode();
    long offset = 0;
    for (Map.Entry<String, long[]> e : shapes.entrySet()) {
      DType type = typeOf(e.getKey());
      ObjectNode node = header.putObject(e.getKey()).put("dtype", type.name());
      LongStream.of(e.getValue()).forEach(node.putArray("shape")::add);
      long end = offset + type.bytes(elements(e.getValue()));
      node.putArray("data_offsets").add(offset).add(end);
      offset = end;
    }
    byte[] text = JSON.writeValueAsBytes(header);
    ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    Files.deleteIfExists(file);
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.write(length.putLong(0, text.length).array());
      out.write(text);
      out.setLength(8 + text.length + offset);
    }
  }

  /** How a language model's layers are made, and what Hugging Face calls it. */
  enum Style {
    LLAMA("LlamaForCausalLM", "llama"),
    QWEN3("Qwen3ForCausalLM", "qwen3"),
    /** 8 of 128 experts, each in tensors of its own. */
    QWEN3_MOE("Qwen3MoeForCausalLM", "qwen3_moe"),
    /** 4 of 32 experts, packed in 4 bits. */
    GPT_OSS("GptOssForCausalLM", "gpt_oss"),
    /** Three of four layers recurrent. */
    QWEN3_5("Qwen3_5ForCausalLM", "qwen3_5_text"),
    GEMMA3("Gemma3ForCausalLM", "gemma3_text");

    final String architecture;
    final String type;

    Style(String architecture, String type) {
      this.architecture = architecture;
      this.type = type;
    }
  }

  /** A language model's numbers. */
  record Decoder(
      int hidden,
      int ffn,
      int layers,
      int heads,
      int kvHeads,
      int headDim,
      int vocab,
      boolean tied,
      Style style) {
    private static final int EXPERTS = 128;
    private static final int PACKED_EXPERTS = 32;
    private static final int KEY_HEADS = 16;
    private static final int VALUE_HEADS = 32;
    private static final int DELTA_WIDTH = 128;

    long largest() {
      return (long) vocab * hidden;
    }

    Decoder withLayers(int count) {
      return new Decoder(hidden, ffn, count, heads, kvHeads, headDim, vocab, tied, style);
    }

    private void gated(Map<String, long[]> shapes, String module) {
      shapes.put(module + "gate_proj.weight", new long[] {ffn, hidden});
      shapes.put(module + "up_proj.weight", new long[] {ffn, hidden});
      shapes.put(module + "down_proj.weight", new long[] {hidden, ffn});
    }

    private void attention(Map<String, long[]> shapes, String module) {
      long q = (long) headDim * heads;
      long kv = (long) headDim * kvHeads;
      long gates = style == Style.QWEN3_5 ? q : 0;
      shapes.put(module + "q_proj.weight", new long[] {q + gates, hidden});
      shapes.put(module + "k_proj.weight", new long[] {kv, hidden});
      shapes.put(module + "v_proj.weight", new long[] {kv, hidden});
      shapes.put(module + "o_proj.weight", new long[] {hidden, q});
      if (style == Style.GPT_OSS) {
        shapes.put(module + "q_proj.bias", new long[] {q});
        shapes.put(module + "k_proj.bias", new long[] {kv});
        shapes.put(module + "v_proj.bias", new long[] {kv});
        shapes.put(module + "o_proj.bias", new long[] {hidden});
        shapes.put(module + "sinks", new long[] {heads});
      } else if (style != Style.LLAMA) {
        shapes.put(module + "q_norm.weight", new long[] {headDim});
        shapes.put(module + "k_norm.weight", new long[] {headDim});
      }
    }

    private void packed(Map<String, long[]> shapes, String module) {
      shapes.put(module + "router.weight", new long[] {PACKED_EXPERTS, hidden});
      shapes.put(module + "router.bias", new long[] {PACKED_EXPERTS});
      Map<String, long[]> sides =
          Map.of(
              "gate_up_proj", new long[] {2L * ffn, hidden}, "down_proj", new long[] {hidden, ffn});
      sides.forEach(
          (name, side) -> {
            String layer = module + "experts." + name;
            shapes.put(layer + "_blocks", new long[] {PACKED_EXPERTS, side[0], side[1] / 32, 16});
            shapes.put(layer + "_scales", new long[] {PACKED_EXPERTS, side[0], side[1] / 32});
            shapes.put(layer + "_bias", new long[] {PACKED_EXPERTS, side[0]});
          });
    }

    /** With heads as the models of 4B and 9B have them. */
    private void deltaNet(Map<String, long[]> shapes, String module) {
      long keys = (long) KEY_HEADS * DELTA_WIDTH;
      long values = (long) VALUE_HEADS * DELTA_WIDTH;
      shapes.put(module + "in_proj_qkv.weight", new long[] {2 * keys + values, hidden});
      shapes.put(module + "in_proj_z.weight", new long[] {values, hidden});
      shapes.put(module + "in_proj_b.weight", new long[] {VALUE_HEADS, hidden});
      shapes.put(module + "in_proj_a.weight", new long[] {VALUE_HEADS, hidden});
      shapes.put(module + "conv1d.weight", new long[] {2 * keys + values, 1, 4});
      shapes.put(module + "A_log", new long[] {VALUE_HEADS});
      shapes.put(module + "dt_bias", new long[] {VALUE_HEADS});
      shapes.put(module + "norm.weight", new long[] {DELTA_WIDTH});
      shapes.put(module + "out_proj.weight", new long[] {hidden, values});
    }

    Map<String, long[]> shapes() {
      Map<String, long[]> shapes = new LinkedHashMap<>();
      shapes.put("model.embed_tokens.weight", new long[] {vocab, hidden});
      for (int i = 0; i < layers; i++) {
        String layer = "model.layers." + i + ".";
        if (style == Style.QWEN3_5 && i % 4 != 3) {
          deltaNet(shapes, layer + "linear_attn.");
        } else {
          attention(shapes, layer + "self_attn.");
        }
        if (style == Style.QWEN3_MOE) {
          shapes.put(layer + "mlp.gate.weight", new long[] {EXPERTS, hidden});
          for (int e = 0; e < EXPERTS; e++) {
            gated(shapes, layer + "mlp.experts." + e + ".");
          }
        } else if (style == Style.GPT_OSS) {
          packed(shapes, layer + "mlp.");
        } else {
          gated(shapes, layer + "mlp.");
        }
        shapes.put(layer + "input_layernorm.weight", new long[] {hidden});
        shapes.put(layer + "post_attention_layernorm.weight", new long[] {hidden});
        if (style == Style.GEMMA3) {
          shapes.put(layer + "pre_feedforward_layernorm.weight", new long[] {hidden});
          shapes.put(layer + "post_feedforward_layernorm.weight", new long[] {hidden});
        }
      }
      shapes.put("model.norm.weight", new long[] {hidden});
      if (!tied) {
        shapes.put("lm_head.weight", new long[] {vocab, hidden});
      }
      return shapes;
    }
  }

  /** Language models by name. */
  static final Map<String, Decoder> DECODERS =
      Map.of(
          "llama-toy", new Decoder(64, 96, 2, 4, 2, 16, 380, true, Style.LLAMA),
          "llama-8b", new Decoder(4096, 14336, 32, 32, 8, 128, 128256, false, Style.LLAMA),
          "qwen3-toy", new Decoder(64, 96, 2, 4, 2, 32, 380, true, Style.QWEN3),
          "qwen3-0.6b", new Decoder(1024, 3072, 28, 16, 8, 128, 151936, true, Style.QWEN3),
          "qwen3-1.7b", new Decoder(2048, 6144, 28, 16, 8, 128, 151936, true, Style.QWEN3),
          "gemma3-1b", new Decoder(1152, 6912, 26, 4, 1, 256, 262144, true, Style.GEMMA3),
          "qwen3-30b-a3b", new Decoder(2048, 768, 48, 32, 4, 128, 151936, false, Style.QWEN3_MOE),
          "gpt-oss-20b", new Decoder(2880, 2880, 24, 64, 8, 64, 201088, false, Style.GPT_OSS),
          "qwen3.5-4b", new Decoder(2560, 9216, 32, 16, 4, 256, 248320, true, Style.QWEN3_5),
          "qwen3-8b", new Decoder(4096, 12288, 36, 32, 8, 128, 151936, false, Style.QWEN3));

  /** Diffusion models by name. */
  static final Map<String, DiffusionShapes> DIFFUSION =
      Map.of(
          "sd-toy", DiffusionShapes.TOY,
          "sdxl-toy", DiffusionShapes.TOY_XL,
          "sd15", DiffusionShapes.SD15,
          "sdxl", DiffusionShapes.SDXL);

  /** A Hugging Face folder, with a small tokenizer and {@code data.jsonl} of long documents. */
  Path decoder(Path folder, Decoder c) throws IOException {
    tensors(folder.resolve("model.safetensors"), c.shapes());
    ObjectNode config = JSON.createObjectNode();
    config.putArray("architectures").add(c.style().architecture);
    if (c.style() == Style.GEMMA3) {
      config
          .put("hidden_activation", "gelu_pytorch_tanh")
          .put("query_pre_attn_scalar", c.headDim());
      config.put("sliding_window", 512);
    }
    if (c.style() == Style.QWEN3_MOE) {
      config
          .put("num_experts", Decoder.EXPERTS)
          .put("num_experts_per_tok", 8)
          .put("moe_intermediate_size", c.ffn())
          .put("norm_topk_prob", true);
    }
    if (c.style() == Style.GPT_OSS) {
      config
          .put("num_local_experts", Decoder.PACKED_EXPERTS)
          .put("num_experts_per_tok", 4)
          .put("sliding_window", 128)
          .put("swiglu_limit", 7.0)
          .putObject("rope_scaling")
          .put("rope_type", "yarn")
          .put("factor", 32.0)
          .put("beta_fast", 32.0)
          .put("beta_slow", 1.0)
          .put("truncate", false)
          .put("original_max_position_embeddings", 4096);
      config.putObject("quantization_config").put("quant_method", "mxfp4");
    }
    if (c.style() == Style.QWEN3_5) {
      config
          .put("linear_num_key_heads", Decoder.KEY_HEADS)
          .put("linear_num_value_heads", Decoder.VALUE_HEADS)
          .put("linear_key_head_dim", Decoder.DELTA_WIDTH)
          .put("linear_value_head_dim", Decoder.DELTA_WIDTH)
          .put("linear_conv_kernel_dim", 4);
    }
    config
        .put("model_type", c.style().type)
        .put("hidden_size", c.hidden())
        .put("intermediate_size", c.ffn())
        .put("num_hidden_layers", c.layers())
        .put("num_attention_heads", c.heads())
        .put("num_key_value_heads", c.kvHeads())
        .put("head_dim", c.headDim())
        .put("vocab_size", c.vocab())
        .put("rms_norm_eps", 1e-5)
        .put("rope_theta", 500000.0)
        .put("max_position_embeddings", 8192)
        .put("tie_word_embeddings", c.tied());
    JSON.writeValue(folder.resolve("config.json").toFile(), config);
    return texts(folder);
  }

  /** A small tokenizer and {@code data.jsonl} of long documents. */
  static Path texts(Path folder) throws IOException {
    Path tokenizer = Path.of("src/test/resources/tokenizers/smollm/tokenizer.json");
    Files.write(folder.resolve("tokenizer.json"), Files.readAllBytes(tokenizer));
    Files.writeString(folder.resolve("tokenizer_config.json"), "{\"eos_token\": \"<|im_end|>\"}");
    StringBuilder data = new StringBuilder();
    SplittableRandom random = new SplittableRandom(3);
    for (int i = 0; i < 24; i++) {
      StringBuilder text = new StringBuilder();
      while (text.length() < 24_000) {
        text.append(Long.toString(random.nextLong() >>> 40, 36)).append(' ');
      }
      ObjectNode line = JSON.createObjectNode().put("text", text.toString());
      data.append(JSON.writeValueAsString(line)).append('\n');
    }
    return Files.writeString(folder.resolve("data.jsonl"), data, StandardCharsets.UTF_8)
        .getParent();
  }

  /**
   * {@code RandomModel NAME FOLDER [numbers] [layers=N]}: a model of {@link #DECODERS}, {@link
   * #DIFFUSION} or {@link PublishedModel}, with data to train on; without numbers where they are
   * not asked for, except in the toys.
   */
  public static void main(String[] args) throws IOException {
    String name = args[0];
    Path folder = Path.of(args[1]);
    List<String> options = List.of(args).subList(2, args.length);
    boolean sparse = !options.contains("numbers") && !name.endsWith("toy");
    if (PublishedModel.has(name)) {
      PublishedModel.write(new RandomModel(true, 0), name, folder);
      return;
    }
    if (DIFFUSION.containsKey(name)) {
      RandomModel model = new RandomModel(sparse, 1 << 25);
      new DiffusionFolder(model, DIFFUSION.get(name)).write(folder);
      int side = name.endsWith("toy") ? 64 : name.equals("sdxl") ? 1024 : 512;
      DiffusionFolder.images(folder.resolve("images"), 4, side);
      return;
    }
    Decoder decoder = DECODERS.get(name);
    for (String option : options) {
      if (option.startsWith("layers=")) {
        decoder = decoder.withLayers(Integer.parseInt(option.substring(7)));
      }
    }
    new RandomModel(sparse, decoder.largest()).decoder(folder, decoder);
  }
}
