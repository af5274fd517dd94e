package org.loranative.model.llm;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntPredicate;
import org.loranative.UserException;
import org.loranative.device.Device;
import org.loranative.device.HostBuffer;
import org.loranative.device.Memory;
import org.loranative.graph.Addresses;
import org.loranative.graph.Executor;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.NotFinite;
import org.loranative.graph.Plan;
import org.loranative.graph.Planner;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.lora.Adapters;
import org.loranative.model.Placement;

/**
 * Generates tokens with a key-value cache: the prompt in chunks, then one token at a time. What a
 * prompt has in common with what is in the cache already is not read again, until {@link #forget};
 * where layers keep a state, which cannot go back, only if that is all that is in it.
 */
public final class Generator implements AutoCloseable {
  private static final int CHUNK = 64;

  private final Device device;
  private final Executor executor;
  private final Plan chunkPlan;
  private final Plan tokenPlan;
  private final Placement placement;
  private final Optional<Memory> own;
  private final Memory arena;
  private final Memory caches;
  private final Addresses chunkAt;
  private final Addresses tokenAt;
  private final int capacity;
  private final int vocab;
  private final LlmConfig config;
  private final HostBuffer ids = new HostBuffer(CHUNK * 4);
  private final HostBuffer logits;

  /** Tokens whose keys and values the caches hold, from the first position on. */
  private final int[] held;

  private int heldCount;

  /**
   * @param maxTokens of prompt and answer together
   * @param lent arena that others take turns in; one of its own if absent
   */
  public Generator(
      Device device,
      LlmBase base,
      Adapters adapters,
      DType compute,
      Placement placement,
      int maxTokens,
      Optional<Memory> lent) {
    this.device = device;
    this.placement = placement;
    this.executor = new Executor(device, false);
    this.capacity = capacity(maxTokens);
    this.vocab = base.config().vocab();
    this.config = base.config();
    this.held = new int[capacity];
    List<Graph> graphs = graphs(base, adapters, compute, maxTokens);
    chunkPlan = Planner.plan(graphs.get(0), device);
    tokenPlan = Planner.plan(graphs.get(1), device);
    long bytes = Math.max(chunkPlan.arenaBytes(), tokenPlan.arenaBytes());
    own = lent.isPresent() ? Optional.empty() : Optional.of(device.allocate(bytes));
    arena = own.or(() -> lent).orElseThrow();
    List<Value> cacheValues = caches(graphs);
    caches = device.allocate(cacheValues.stream().mapToLong(Value::bytes).sum());
    long at = caches.address();
    for (Value v : cacheValues) {
      placement.add(v.name(), at);
      at += v.bytes();
    }
    chunkAt = chunkPlan.bind(arena, placement::address);
    tokenAt = tokenPlan.bind(arena, placement::address);
    logits = new HostBuffer(vocab * 4L);
  }

  /** What a generator runs: a chunk of the prompt, then a token at a time. */
  public static List<Graph> graphs(LlmBase base, Adapters adapters, DType compute, int maxTokens) {
    base.config().rope().require(maxTokens);
    int capacity = capacity(maxTokens);
    return List.of(
        LlmGraph.generation(base, adapters, compute, CHUNK, capacity, false),
        LlmGraph.generation(base, adapters, compute, 1, capacity, true));
  }

  /** Bytes of the key-value caches that a generator's graphs name. */
  public static long cacheBytes(List<Graph> graphs) {
    return caches(graphs).stream().mapToLong(Value::bytes).sum();
  }

  private static int capacity(int maxTokens) {
    return (maxTokens + CHUNK - 1) / CHUNK * CHUNK + CHUNK;
  }

  private static List<Value> caches(List<Graph> graphs) {
    return graphs.get(0).named().values().stream()
        .filter(v -> v.kind() == Kind.STATE && v.name().startsWith("cache."))
        .toList();
  }

  /** Every WEIGHT a generator for {@code base} names, for loading. */
  public static Graph weightsOf(LlmBase base, Adapters adapters, DType compute) {
    return LlmGraph.generation(base, adapters, compute, 1, CHUNK, true);
  }

  /** To be called when the adapters have changed: what is in the cache is no longer theirs. */
  public void forget() {
    heldCount = 0;
  }

  /** The model's logits are no finite numbers, so there is nothing to choose from. */
  public static final class NotFiniteException extends UserException {
    NotFiniteException() {
      super(
          "The model's logits are NaN or infinite; its weights or the adapter's are damaged, or"
              + " need --compute-dtype f32.");
    }
  }

  /**
   * Continues {@code prompt}.
   *
   * @param stop tokens that end the answer (not part of it)
   * @param maxNew most new tokens
   * @param onToken called with each token as it comes; false ends the answer
   * @return the answer's tokens
   * @throws NotFiniteException if there is no telling which token is likely
   */
  public int[] generate(
      int[] prompt, int maxNew, Set<Integer> stop, Sampling sampling, IntPredicate onToken) {
    if (prompt.length == 0 || prompt.length + maxNew > capacity) {
      throw new IllegalArgumentException(
          prompt.length + " prompt tokens and " + maxNew + " new ones do not fit " + capacity);
    }
    int at = Math.min(common(prompt), prompt.length - 1);
    if (config.isRecurrent() && at < heldCount) {
      at = 0;
    }
    heldCount = at;
    while (prompt.length - 1 - at > 0 && at + CHUNK <= capacity) {
      int n = Math.min(CHUNK, prompt.length - 1 - at);
      run(chunkPlan, chunkAt, Arrays.copyOf(Arrays.copyOfRange(prompt, at, at + n), CHUNK), at, n);
      keep(Arrays.copyOfRange(prompt, at, at + n));
      at += n;
    }
    int last = prompt[prompt.length - 1];
    List<Integer> answer = new ArrayList<>();
    Set<Integer> seen = new HashSet<>();
    Arrays.stream(prompt).forEach(seen::add);
    while (answer.size() < maxNew) {
      run(tokenPlan, tokenAt, new int[] {last}, at++, 1);
      keep(last);
      int next = sampling.choose(logits(), seen, answer);
      if (stop.contains(next)) {
        break;
      }
      answer.add(next);
      seen.add(next);
      if (!onToken.test(next)) {
        break;
      }
      last = next;
    }
    return answer.stream().mapToInt(Integer::intValue).toArray();
  }

  /**
   * @param real how many of the tokens are more than padding
   */
  private void run(Plan plan, Addresses at, int[] tokens, int start, int real) {
    executor.prepare(plan, arena.address());
    upload(at.of(plan.input(LlmGraph.IDS)), tokens);
    int[] positions = new int[tokens.length];
    for (int i = 0; i < tokens.length; i++) {
      positions[i] = start + i;
    }
    upload(at.of(plan.input(LlmGraph.POSITIONS)), positions);
    upload(at.of(plan.input(LlmGraph.START)), new int[] {start});
    if (config.isRecurrent()) {
      upload(at.of(plan.input(LlmGraph.COUNT)), new int[] {real});
    }
    executor.run(plan, at);
  }

  private void upload(long to, int[] values) {
    ids.view().asIntBuffer().put(values);
    device.upload(to, ids, values.length * 4L);
  }

  /** How many tokens at the beginning are in the cache. */
  private int common(int[] prompt) {
    int apart = Arrays.mismatch(held, 0, heldCount, prompt, 0, prompt.length);
    return apart < 0 ? prompt.length : apart;
  }

  private void keep(int... tokens) {
    System.arraycopy(tokens, 0, held, heldCount, tokens.length);
    heldCount += tokens.length;
  }

  /** Of the token behind the last one, [V]. */
  private float[] logits() {
    Value out = tokenPlan.graph().results().iterator().next();
    device.download(logits, tokenAt.of(out), vocab * 4L);
    placement.requireWhole();
    float[] z = new float[vocab];
    logits.view().asFloatBuffer().get(z);
    config.cap(z);
    if (!NotFinite.areFinite(z)) {
      throw new NotFiniteException();
    }
    return z;
  }

  @Override
  public void close() {
    executor.close();
    own.ifPresent(Memory::close);
    caches.close();
    ids.close();
    logits.close();
  }
}
