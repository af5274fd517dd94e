package org.loranative.model.llm;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.loranative.UserException;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.io.Gguf;
import org.loranative.io.JsonFile;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorFile;
import org.loranative.lora.Adapters;
import org.loranative.lora.LayerBlocks;
import org.loranative.lora.PeftFormat;
import org.loranative.lora.SavedModules;
import org.loranative.model.Family;
import org.loranative.model.MissingBase;
import org.loranative.model.weights.Quantize;
import org.loranative.model.weights.Weights;
import org.loranative.text.NewTokens;
import org.loranative.text.Tokenizer;

/** A base model on disk: its config, its tensors (not yet loaded) and its tokenizer. */
public final class LlmBase {
  private static final String WEIGHT = ".weight";
  private static final String HEAD = SavedModules.HEAD + WEIGHT;

  private final Path path;
  private final LlmConfig config;
  private final Weights weights;
  private final TensorFile file;
  private final boolean gguf;
  private final Map<String, Object> settings;
  private final BaseTokens tokens;
  private final ExpertWeights experts;
  private final List<Float> layerScales;

  private LlmBase(
      Path path,
      LlmConfig config,
      Weights weights,
      TensorFile file,
      boolean gguf,
      Map<String, Object> settings,
      BaseTokens tokens) {
    this.tokens = tokens;
    this.path = path;
    this.config = config;
    this.weights = weights;
    this.file = file;
    this.gguf = gguf;
    this.settings = settings;
    checkShapes();
    experts = ExpertWeights.find(config, weights, path.toString());
    layerScales = LayerScales.read(config, weights, path.toString());
  }

  /** The same model with other tokens; its weights are found and arranged already. */
  private LlmBase(LlmBase other, LlmConfig config, BaseTokens tokens) {
    this.tokens = tokens;
    this.path = other.path;
    this.config = config;
    this.weights = other.weights;
    this.file = other.file;
    this.gguf = other.gguf;
    this.settings = other.settings;
    checkShapes();
    experts = other.experts;
    layerScales = other.layerScales;
  }

  /** Opens a base as adapters need it: with the tokens that they have added. */
  public static LlmBase open(Path path, List<Path> adapters) {
    LlmBase base = open(path);
    return adapters.stream()
        .filter(PeftFormat::holdsWhole)
        .map(base.tokens::of)
        .filter(more -> !more.isEmpty())
        .findFirst()
        .map(base::adding)
        .orElse(base);
  }

  /**
   * The same model with more tokens. Embedding and head have rows for them: those that are spare,
   * or new ones behind the others.
   */
  public LlmBase adding(NewTokens more) {
    if (more.isEmpty()) {
      return this;
    }
    BaseTokens all = tokens.with(more);
    int vocab = Math.max(config.vocab(), all.rows());
    if (vocab > config.vocab()) {
      if (config.layerInputs().isPresent()) {
        throw config.layerInputs().get().refuseNewRows(path);
      }
      weights.grow(embeddingName(), vocab);
      weights.grow(headName(), vocab);
    }
    return new LlmBase(this, config.withVocab(vocab), all);
  }

  /**
   * Refuses an adapter that a run is to begin with whose rows are of other added tokens.
   *
   * @param adapter its folder
   */
  public void requireTokensOf(Path adapter) {
    if (PeftFormat.holdsWhole(adapter)) {
      tokens.requireThoseOf(adapter);
    }
  }

  /** Tokens that were added to its tokenizer. */
  public NewTokens added() {
    return tokens.added();
  }

  /** Opens a Hugging Face folder or a GGUF file. */
  public static LlmBase open(Path path) {
    if (Files.isDirectory(path)) {
      return openFolder(path);
    }
    String name = path.getFileName().toString();
    if (!Files.exists(path)) {
      throw MissingBase.of("base_model", path, "a Hugging Face folder or a .gguf file");
    }
    if (name.endsWith(".gguf")) {
      return openGguf(path);
    }
    if (name.endsWith(".safetensors")) {
      throw new UserException(
          "base_model "
              + path
              + " is a single file; name the folder around it, with config.json"
              + " and tokenizer.json. Checkpoints of Stable Diffusion need task_type: sd.");
    }
    throw new UserException(
        "base_model "
            + path
            + " is neither a Hugging Face folder nor a .gguf file."
            + (name.endsWith(".bin") || name.endsWith(".pt") || name.endsWith(".ckpt")
                ? " Pickle checkpoints can run code when opened: convert it to .safetensors."
                : ""));
  }

  private static LlmBase openFolder(Path folder) {
    Path file = folder.resolve("config.json");
    if (!Files.exists(file)) {
      throw new UserException(
          Files.exists(folder.resolve("model_index.json"))
              ? folder
                  + " is a diffusion model (model_index.json); task_type: sd trains those, and"
                  + " sample draws with them."
              : folder + " has no config.json; is it a Hugging Face model folder?");
    }
    JsonNode json = JsonFile.read(file);
    if (!json.isObject()) {
      throw new UserException(file + " is not a JSON object; is it a model's configuration?");
    }
    Map<String, Object> config = new ObjectMapper().convertValue(json, new TypeReference<>() {});
    // First without looking at tensors, which may be named or stored as none that we know.
    StoredQuantization.of(file, config, Set.of());
    if (!(config.get("architectures") instanceof List<?> architectures)
        || architectures.isEmpty()) {
      throw new UserException(
          file + " names no architecture (\"architectures\"); take the model's own config.json.");
    }
    String architecture = String.valueOf(architectures.get(0));
    Map<?, ?> text = config.get("text_config") instanceof Map<?, ?> m ? m : Map.of();
    Optional<Family> inside =
        Family.ofWrapper(architecture, String.valueOf(text.get("model_type")));
    Family family =
        inside
            .or(() -> Family.ofArchitecture(architecture))
            .orElseThrow(() -> UnknownArchitecture.ofFolder(file, architecture));
    TensorFile tensors = Safetensors.readFolder(folder, "model");
    StoredQuantization stored = StoredQuantization.of(file, config, tensors.tensors().keySet());
    FolderNames names = new FolderNames(tensors.tensors().keySet(), inside.isPresent());
    Weights weights = stored.weights(folder, tensors.tensors(), names::inFile);
    if (inside.isPresent()) {
      text.forEach((key, value) -> config.put(String.valueOf(key), value));
    }
    LlmConfig parsed = new ConfigParser(file.toString(), family, names.prefix(), config).parse();
    scaleLogits(weights, parsed);
    for (String name : names.ours()) {
      if (parsed.countsFromOffset(name)) {
        weights.offset(name, family.normOffset());
      }
    }
    return new LlmBase(
        folder, parsed, weights, tensors, false, config, BaseTokens.of(folder, tensors, false));
  }

  /** A factor of all logits is one of the last norm's weight. */
  private static void scaleLogits(Weights weights, LlmConfig config) {
    if (config.scales().logits() != 1) {
      weights.scaled(config.prefix() + "norm.weight", config.scales().logits());
    }
  }

  private static LlmBase openGguf(Path path) {
    TensorFile file = Gguf.read(path);
    String architecture = String.valueOf(file.metadata().get("general.architecture"));
    boolean slides = file.metadata().containsKey(architecture + ".attention.sliding_window");
    boolean mixes = file.metadata().containsKey(architecture + ".expert_count");
    Family family =
        Family.ofGguf(architecture, slides, mixes)
            .orElseThrow(() -> UnknownArchitecture.ofGguf(path, architecture, file));
    Map<String, Object> translated = GgufConfig.translate(architecture, file);
    LlmConfig config =
        new ConfigParser(
                path.toString(),
                family,
                FolderNames.PLAIN,
                translated,
                key -> GgufConfig.key(architecture, key))
            .parse();
    Weights weights =
        new Weights(path.toString(), GgufDelta.inShapesOfFolders(file.tensors()), family::ggufName);
    scaleLogits(weights, config);
    SplitProjection.stackAll(weights, config, path.toString());
    new GgufOrder(config).tell(weights, path.toString());
    TensorEntry factors = file.tensors().get(GgufConfig.FACTORS);
    return new LlmBase(
        path,
        factors == null ? config : config.withRope(config.rope().dividedBy(factors)),
        weights,
        file,
        true,
        translated,
        BaseTokens.of(path, file, true));
  }

  /** Shapes that disagree with the config are found here, by name, before anything is computed. */
  private void checkShapes() {
    LlmConfig c = config;
    require(embeddingName(), c.vocab(), c.hidden());
    require(headName(), c.vocab(), c.hidden());
    for (Projection p : c.projections()) {
      Shape shape = weights.shape(p.name() + ".weight");
      long out = p.out() == 0 ? shape.dim(0) : p.out();
      require(p.name() + ".weight", out, p.in() == 0 ? shape.last() : p.in());
    }
    String table = c.prefix() + LayerInputs.TABLE;
    long inputs = c.layerInputs().map(LayerInputs::width).orElse(0);
    if (inputs > 0 || weights.has(table)) {
      require(table, c.vocab(), c.layers().size() * inputs);
    }
    for (int i = 0; i < c.layers().size(); i++) {
      int layer = i;
      c.layers().get(i).mixer().others().forEach((n, s) -> require(c.inLayer(layer, n), s));
    }
  }

  private void require(String name, long... dims) {
    require(name, Shape.of(dims));
  }

  private void require(String name, Shape shape) {
    if (!weights.shape(name).equals(shape)) {
      throw new UserException(
          String.format(
              "%s: tensor %s is %s, but its config needs %s.",
              path, weights.entry(name).name(), weights.shape(name), shape));
    }
  }

  public Path path() {
    return path;
  }

  public LlmConfig config() {
    return config;
  }

  public Weights weights() {
    return weights;
  }

  /** Says how the layers' matrices are held; KEEP holds embedding and head in blocks too. */
  public void quantize(Quantize how) {
    Set<String> names = new HashSet<>();
    config.linearPaths().forEach(path -> names.add(path + ".weight"));
    names.addAll(experts.names());
    if (how == Quantize.KEEP) {
      names.addAll(List.of(embeddingName(), HEAD, config.prefix() + LayerInputs.TABLE));
    }
    weights.quantize(how, names::contains);
  }

  /** The head's tensor: its own, or the embedding where they are tied. */
  public String headName() {
    return weights.has(HEAD) ? HEAD : embeddingName();
  }

  /** The embedding's tensor. */
  String embeddingName() {
    return embeddingPath() + WEIGHT;
  }

  /** The embedding's module. */
  String embeddingPath() {
    return config.prefix() + SavedModules.EMBEDDING;
  }

  /** The head's module: of a tied one the embedding's. */
  String headPath() {
    return weights.has(HEAD) ? SavedModules.HEAD : embeddingPath();
  }

  /**
   * The model's own settings under the keys of Hugging Face's config.json: of a folder as they
   * stand there (those of a language model inside another one among the others), of a GGUF
   * translated.
   */
  public Map<String, Object> settings() {
    return settings;
  }

  /** What slows the rotations of a GGUF that has a tensor of factors, as config.json says it. */
  public Optional<Map<String, Object>> ropeScaling() {
    return file.tensors().containsKey(GgufConfig.FACTORS)
            && !settings.containsKey("rope_parameters")
        ? Optional.of(Llama3Rope.of(config, settings))
        : Optional.empty();
  }

  /**
   * What a GGUF calls its tensors.
   *
   * @throws UserException if models of its family are not read from or written to GGUF
   */
  public GgufNames ggufNames() {
    if (config.family().ggufArchitectures().isEmpty()) {
      throw new UserException(
          String.format(
              "%s: GGUF files of %s, or adapters for them, cannot be written yet; write a Hugging"
                  + " Face folder, or the adapter as PEFT's.",
              path, config.family().architectures().get(0)));
    }
    return new GgufNames(config, !gguf || !SplitProjection.isTogether(file));
  }

  /** Names of all tensors that the model reads and its file has, in its order of layers. */
  public List<String> tensorNames() {
    Stream<String> inGraph =
        LlmGraph.logits(this, Adapters.none(), DType.F32, 1, 1).named().values().stream()
            .filter(v -> v.kind() == Kind.WEIGHT)
            .map(Value::name);
    Stream<String> numbers =
        IntStream.range(0, layerScales.size()).mapToObj(i -> LayerScales.name(config, i));
    return Stream.concat(inGraph, numbers).filter(weights::has).toList();
  }

  /** What a Hugging Face folder calls the tensor {@code name}. */
  public String nameInFolder(String name) {
    return FolderNames.inFolder(config.family(), name);
  }

  /** What the states behind each layer are multiplied by. */
  List<Float> layerScales() {
    return layerScales;
  }

  /** Whether it is a GGUF file, not a folder. */
  public boolean isGguf() {
    return gguf;
  }

  /** The file as it lies on disk. */
  public TensorFile file() {
    return file;
  }

  /** With the tokens that were added. */
  public Tokenizer tokenizer() {
    return tokens.open();
  }

  /** Writes beside an adapter what other tools need to use it as it was trained. */
  public void writeTokenizer(Tokenizer tokenizer, Path folder) throws IOException {
    tokens.write(tokenizer, folder);
  }

  /** Every layer that an adapter could be put on, and embedding and head, which train whole. */
  public List<Adapters.Target> adaptable() {
    List<Adapters.Target> all = new ArrayList<>(targets());
    all.addAll(trainedWhole().targets());
    return all;
  }

  /** What can be trained as a whole. */
  public TrainedWhole trainedWhole() {
    return new TrainedWhole(
        path,
        embeddingPath(),
        headPath(),
        config.hidden(),
        config.vocab(),
        Boolean.TRUE.equals(settings.get("tie_word_embeddings")),
        !added().isEmpty());
  }

  /** Every layer that an adapter could be put on. */
  public List<Adapters.Target> targets() {
    List<Adapters.Target> targets = new ArrayList<>();
    for (String linear : config.linearPaths()) {
      Shape w = weights.shape(linear + ".weight");
      targets.add(new Adapters.Target(linear, w.dim(1), w.dim(0)));
    }
    targets.addAll(experts.targets());
    return targets;
  }

  /**
   * Refuses names of {@code lora_targets} that mean what always stays frozen, or a part of a layer.
   *
   * @throws UserException saying what to name instead
   */
  public void requireAdaptable(List<String> names) {
    new ExpertNames(targets()).require(names);
  }

  /** The layers that a name of {@code lora_targets} stands for, by name. */
  public List<String> layersCalled(String name) {
    return new ExpertNames(targets()).layers(name);
  }

  /** Whether some of its layers are mixtures of experts. */
  public boolean hasExperts() {
    return !experts.names().isEmpty();
  }

  /** Its layers by number. */
  public LayerBlocks blocks() {
    return new LlmBlocks(config.layers().size());
  }

  /**
   * These, and what shares names with them and is left alone: halves of experts' matrices, and
   * those of a tower beside the language model.
   */
  public List<Adapters.Target> targetsAndOthers() {
    List<Adapters.Target> all = adaptable();
    for (Adapters.Target t : experts.targets()) {
      if (t.path().endsWith(MixtureMlp.TOGETHER)) {
        String module = t.path().substring(0, t.path().length() - MixtureMlp.TOGETHER.length());
        for (String half : MixtureMlp.HALVES) {
          String path = module + half;
          all.add(new Adapters.Target(path, t.in(), t.out() / 2));
        }
      }
    }
    if (!config.prefix().equals(FolderNames.PLAIN)) {
      file.tensors()
          .forEach(
              (name, entry) -> {
                String ours = FolderNames.inside(name);
                if (!ours.startsWith(config.prefix())
                    && ours.endsWith(".weight")
                    && entry.shape().size() == 2) {
                  String path = ours.substring(0, ours.length() - ".weight".length());
                  all.add(new Adapters.Target(path, entry.shape().get(1), entry.shape().get(0)));
                }
              });
    }
    return all;
  }

  /** Constants that the graph names: rotary frequencies, and those of layers. */
  public Map<String, float[]> constants() {
    Map<String, float[]> constants = new HashMap<>();
    constants.put(LlmGraph.ROPE, config.rope().frequencies());
    constants.put(LlmGraph.LOCAL_ROPE, config.localRope().frequencies());
    config.layers().forEach(l -> constants.putAll(l.mixer().constants()));
    return constants;
  }
}
