package org.loranative.model;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What one family of language models does that others do not: a file of {@code models/}. Numbers
 * come from the checkpoint's own config.
 *
 * @param architectures values of {@code architectures} in config.json
 * @param wrappers such values of models that also see or hear: one of this family is inside, as
 *     their {@code language_model}
 * @param ggufArchitectures values of {@code general.architecture} in a GGUF
 * @param fusedQkv q, k, v are one projection
 * @param fusedGateUp gate and up are one projection
 * @param qkNorm RMSNorm of q and k before rotation: of each head or of all together, as its weight
 *     is wide
 * @param norms where a layer norms
 * @param normOffset added to every norm's weight (GGUF files hold the sum already)
 * @param scaledEmbedding embeddings times √hidden
 * @param sliding which layers use the sliding window: {@code all}, {@code by_layer_types} (as the
 *     config lists them; where nothing is said), or {@code every} (all but each {@code
 *     slidingPeriod}-th)
 * @param unrotatedPeriod layers of such a period, the last of each, do without rotation; 0 for
 *     none. The config's own {@code no_rope_layers} comes first
 * @param localRopeTheta rotary base of sliding layers, 0 for the same as the others
 * @param localRopeUnscaled whether scaling of rotations leaves sliding layers alone
 * @param neighbours whether rotation turns neighbouring channels, not one of each half
 * @param partialRotaryFactor share of a head's channels that rotate where the config is silent
 * @param ggufPermuted q and k rows are interleaved in GGUF files
 * @param ggufTiled value heads of recurrent layers stand in turns of one of each key head in GGUF
 *     files
 * @param gatedAttention whether attention gates its answer where the config is silent
 * @param fullAttentionPeriod layers of such a period, the last of each, attend, and the others are
 *     recurrent, where the config is silent; 0 where all attend
 * @param groupedDelta whether recurrent layers have two projections, the rows of each key head
 *     together
 * @param normalizedExperts whether the weights of a token's experts are divided by their sum where
 *     the config is silent
 * @param sigmoidRouter whether experts are chosen by the sigmoid of each logit, not by softmax
 * @param sinks whether each head of attention has a logit that a token may look at instead
 * @param clampedExperts whether experts bound gate and up, which stand in turn where they are
 *     together
 * @param transposedExperts whether folders hold matrices of experts as [E, in, out]
 * @param untruncatedYarn whether the ends of YaRN's ramp are not rounded where the config is silent
 * @param normedValues whether attention norms values too, and layers may share keys and values
 * @param attentionScale of q kᵀ; 0 for 1/√(width of a head)
 * @param fullHeadDim channels of a head in layers that do not slide, where the config is silent; 0
 *     for those of the others
 * @param mixture whether it is the one with experts, of families that share a GGUF's name
 * @param modelType {@code model_type} in config.json; the family's name where none is given
 * @param ggufNames names that differ from the common ones, without layer prefix
 * @param folderNames parts of our names, between dots, that folders have otherwise
 */
public record Family(
    String name,
    List<String> architectures,
    List<String> wrappers,
    List<String> ggufArchitectures,
    boolean fusedQkv,
    boolean fusedGateUp,
    boolean qkNorm,
    LayerNorms norms,
    float normOffset,
    boolean scaledEmbedding,
    String sliding,
    int slidingPeriod,
    int unrotatedPeriod,
    double localRopeTheta,
    boolean localRopeUnscaled,
    boolean neighbours,
    double partialRotaryFactor,
    boolean ggufPermuted,
    boolean ggufTiled,
    boolean gatedAttention,
    int fullAttentionPeriod,
    boolean groupedDelta,
    boolean normalizedExperts,
    boolean sigmoidRouter,
    boolean sinks,
    boolean clampedExperts,
    boolean transposedExperts,
    boolean untruncatedYarn,
    boolean normedValues,
    double attentionScale,
    int fullHeadDim,
    boolean mixture,
    String modelType,
    Map<String, String> ggufNames,
    Map<String, String> folderNames) {

  private static final String BY_LAYER_TYPES = "by_layer_types";
  private static final String EVERY = "every";
  private static final Set<String> SLIDING = Set.of("all", BY_LAYER_TYPES, EVERY);

  /** Where the files lie, beside the classes or in the jar. */
  private static final String FOLDER = "/models";

  private static final String ENDING = ".yaml";

  /** Hugging Face module names to GGUF's, inside a layer and outside. */
  private static final Map<String, String> COMMON_GGUF_NAMES =
      Map.ofEntries(
          Map.entry("input_layernorm", "attn_norm"),
          Map.entry("post_attention_layernorm", "ffn_norm"),
          Map.entry("self_attn.q_proj", "attn_q"),
          Map.entry("self_attn.k_proj", "attn_k"),
          Map.entry("self_attn.v_proj", "attn_v"),
          Map.entry("self_attn.qkv_proj", "attn_qkv"),
          Map.entry("self_attn.o_proj", "attn_output"),
          Map.entry("self_attn.sinks", "attn_sinks"),
          Map.entry("self_attn.q_norm", "attn_q_norm"),
          Map.entry("self_attn.k_norm", "attn_k_norm"),
          Map.entry("mlp.gate_proj", "ffn_gate"),
          Map.entry("mlp.up_proj", "ffn_up"),
          Map.entry("mlp.down_proj", "ffn_down"),
          Map.entry("mlp.gate", "ffn_gate_inp"),
          Map.entry("mlp.gate.correction", "exp_probs_b"),
          Map.entry("mlp.shared_expert_gate", "ffn_gate_inp_shexp"),
          Map.entry("mlp.shared_expert.gate_proj", "ffn_gate_shexp"),
          Map.entry("mlp.shared_expert.up_proj", "ffn_up_shexp"),
          Map.entry("mlp.shared_expert.down_proj", "ffn_down_shexp"),
          Map.entry("mlp.shared_experts.gate_proj", "ffn_gate_shexp"),
          Map.entry("mlp.shared_experts.up_proj", "ffn_up_shexp"),
          Map.entry("mlp.shared_experts.down_proj", "ffn_down_shexp"),
          Map.entry("mlp.experts.gate_proj", "ffn_gate_exps"),
          Map.entry("mlp.experts.up_proj", "ffn_up_exps"),
          Map.entry("mlp.experts.down_proj", "ffn_down_exps"));

  public Family {
    architectures = architectures == null ? List.of() : List.copyOf(architectures);
    wrappers = wrappers == null ? List.of() : List.copyOf(wrappers);
    ggufArchitectures = ggufArchitectures == null ? List.of() : List.copyOf(ggufArchitectures);
    norms = norms == null ? LayerNorms.LLAMA : norms;
    partialRotaryFactor = partialRotaryFactor == 0 ? 1 : partialRotaryFactor;
    sliding = sliding == null ? BY_LAYER_TYPES : sliding;
    if (!SLIDING.contains(sliding)) {
      throw new IllegalArgumentException("sliding is " + sliding + ", not one of " + SLIDING);
    }
    ggufNames = ggufNames == null ? Map.of() : Map.copyOf(ggufNames);
    folderNames = folderNames == null ? Map.of() : Map.copyOf(folderNames);
  }

  private static final List<Family> ALL = read();

  /** All families: every file of the folder. */
  public static List<Family> all() {
    return ALL;
  }

  private static List<Family> read() {
    YAMLMapper yaml =
        YAMLMapper.builder().propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE).build();
    List<Family> families = new ArrayList<>();
    for (String file : files()) {
      try (InputStream in = Family.class.getResourceAsStream(FOLDER + "/" + file)) {
        String name = file.substring(0, file.length() - ENDING.length());
        families.add(yaml.readValue(in, Family.class).named(name));
      } catch (JacksonException e) {
        throw new IllegalStateException(FOLDER + "/" + file, e);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return List.copyOf(families);
  }

  /** Names of the folder's files, in order. */
  private static List<String> files() {
    try {
      URI folder = Objects.requireNonNull(Family.class.getResource(FOLDER)).toURI();
      if (!folder.getScheme().equals("jar")) {
        return names(Path.of(folder));
      }
      Path jar = Path.of(URI.create(folder.getRawSchemeSpecificPart().split("!", 2)[0]));
      try (FileSystem inside = FileSystems.newFileSystem(jar)) {
        return names(inside.getPath(FOLDER));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .map(f -> f.getFileName().toString())
          .filter(name -> name.endsWith(ENDING))
          .sorted()
          .toList();
    }
  }

  private Family named(String newName) {
    return new Family(
        newName,
        architectures,
        wrappers,
        ggufArchitectures,
        fusedQkv,
        fusedGateUp,
        qkNorm,
        norms,
        normOffset,
        scaledEmbedding,
        sliding,
        slidingPeriod,
        unrotatedPeriod,
        localRopeTheta,
        localRopeUnscaled,
        neighbours,
        partialRotaryFactor,
        ggufPermuted,
        ggufTiled,
        gatedAttention,
        fullAttentionPeriod,
        groupedDelta,
        normalizedExperts,
        sigmoidRouter,
        sinks,
        clampedExperts,
        transposedExperts,
        untruncatedYarn,
        normedValues,
        attentionScale,
        fullHeadDim,
        mixture,
        modelType == null ? newName : modelType,
        ggufNames,
        folderNames);
  }

  public static Optional<Family> ofArchitecture(String architecture) {
    return all().stream().filter(f -> f.architectures().contains(architecture)).findFirst();
  }

  /**
   * The family of the language model inside a model that also sees or hears.
   *
   * @param modelType of the language model, where a wrapper has one of several
   */
  public static Optional<Family> ofWrapper(String architecture, String modelType) {
    List<Family> fit = all().stream().filter(f -> f.wrappers().contains(architecture)).toList();
    return fit.stream()
        .filter(f -> f.modelType().equals(modelType))
        .findFirst()
        .or(() -> fit.stream().findFirst());
  }

  /**
   * The family of a file; by two marks those differ that share a name.
   *
   * @param slides whether it names a sliding window
   * @param mixes whether it has experts
   */
  public static Optional<Family> ofGguf(String architecture, boolean slides, boolean mixes) {
    List<Family> fit =
        all().stream().filter(f -> f.ggufArchitectures().contains(architecture)).toList();
    List<Family> alike = fit.stream().filter(f -> f.mixture() == mixes).toList();
    return alike.stream()
        .filter(f -> f.sliding().equals(EVERY) == slides)
        .findFirst()
        .or(() -> alike.stream().findFirst())
        .or(() -> fit.stream().findFirst());
  }

  /** All supported architectures, for messages. */
  public static String supported() {
    return all().stream()
        .flatMap(f -> Stream.concat(f.architectures().stream(), f.wrappers().stream()))
        .distinct()
        .collect(Collectors.joining(", "));
  }

  /** Modules of a layer that has all that a family's layers have: norms and projections. */
  public List<String> layerModules() {
    List<String> modules = new ArrayList<>(norms.names());
    modules.addAll(
        fusedQkv
            ? List.of("self_attn.qkv_proj")
            : List.of("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"));
    if (qkNorm) {
      modules.addAll(List.of("self_attn.q_norm", "self_attn.k_norm"));
    }
    modules.add("self_attn.o_proj");
    if (fullAttentionPeriod > 0) {
      modules.addAll(
          groupedDelta
              ? List.of("linear_attn.in_proj_qkvz", "linear_attn.in_proj_ba")
              : List.of(
                  "linear_attn.in_proj_qkv",
                  "linear_attn.in_proj_z",
                  "linear_attn.in_proj_b",
                  "linear_attn.in_proj_a"));
      modules.addAll(List.of("linear_attn.conv1d", "linear_attn.norm", "linear_attn.out_proj"));
    }
    modules.addAll(
        fusedGateUp ? List.of("mlp.gate_up_proj") : List.of("mlp.gate_proj", "mlp.up_proj"));
    modules.add("mlp.down_proj");
    return modules;
  }

  /** GGUF's name of a tensor that Hugging Face calls {@code name}. */
  public String ggufName(String name) {
    int dot = name.lastIndexOf('.');
    String module = name.substring(0, dot);
    String kind = name.substring(dot);
    switch (module) {
      case "model.embed_tokens":
        return "token_embd" + kind;
      case "model.norm":
        return "output_norm" + kind;
      case "lm_head":
        return "output" + kind;
      default:
        String[] parts = module.split("\\.", 4); // model, layers, index, rest
        String rest = parts[parts.length - 1];
        if (parts.length < 4) {
          return ggufNames.getOrDefault(rest, module) + kind;
        }
        String whole = ggufNames.get(rest + kind); // of tensors that are no module's weight
        if (whole != null) {
          return "blk." + parts[2] + "." + whole;
        }
        String translated = ggufNames.getOrDefault(rest, COMMON_GGUF_NAMES.get(rest));
        return "blk." + parts[2] + "." + translated + kind;
    }
  }
}
