package org.loranative.model.llm;

/** What a GGUF of a language model calls its tensors, and where it has rows in another order. */
public final class GgufNames {
  private final LlmConfig config;

  public GgufNames(LlmConfig config) {
    this.config = config;
  }

  /** {@code general.architecture}. */
  public String architecture() {
    return config.family().ggufArchitectures().get(0);
  }

  /** GGUF's name of a tensor by ours. */
  public String of(String name) {
    String plain =
        name.startsWith(config.prefix())
            ? FolderNames.PLAIN + name.substring(config.prefix().length())
            : name;
    return config.family().ggufName(plain);
  }

  /**
   * Rows of a head of a layer whose rotary halves GGUF interleaves, 0 of others.
   *
   * @param out the layer's rows
   */
  public long headRows(String path, long out) {
    if (!config.family().ggufPermuted()) {
      return 0;
    }
    if (path.endsWith("self_attn.q_proj")) {
      return out / config.heads();
    }
    return path.endsWith("self_attn.k_proj") ? out / config.kvHeads() : 0;
  }
}
