package org.loranative.train;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.loranative.config.ConfigReader;
import org.loranative.config.TaskType;
import org.loranative.config.TrainConfig;
import org.loranative.device.CudaDevice;
import org.loranative.device.Device;
import org.loranative.device.Memory;
import org.loranative.graph.Addresses;
import org.loranative.graph.Executor;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.Plan;
import org.loranative.graph.Planner;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Slot;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.DiffusionGraph;
import org.loranative.model.diffusion.Painter;
import org.loranative.model.diffusion.families.DiffusionFamilies;
import org.loranative.optim.Hyperparameters;
import org.loranative.optim.Optimizer;
import org.loranative.optim.Optimizers;
import org.loranative.optim.Update;
import org.loranative.train.diffusion.DiffusionTraining;
import org.loranative.train.llm.LlmTraining;
import org.loranative.train.machine.Devices;

/**
 * Runs the plans of a training run on the emulated card while it records launches ({@code
 * LN_EMU_RECORD}): the real launchers at a model's full size, in a process of its own. Weights have
 * addresses and no numbers. {@code RecordLaunches OUT.csv KEY=VALUE...} writes a line for each
 * launch of each op; {@code benchmarks/roofline.py} reads them too.
 */
public final class RecordLaunches implements AutoCloseable {
  private final Device device = new CudaDevice("cuda-emu", System.getenv(CudaDevice.EMULATOR));
  private final List<Memory> allocated = new ArrayList<>();
  private final Map<String, Long> addresses = new HashMap<>();
  private final BufferedReader record =
      Files.newBufferedReader(Path.of(System.getenv("LN_EMU_RECORD")));
  private final PrintWriter out;

  private RecordLaunches(Path out) throws IOException {
    this.out = new PrintWriter(Files.newBufferedWriter(out));
    this.out.println("plan,line,op,bytes,kernel,x,y,z,threads,shared_bytes,captured");
  }

  public static void main(String[] args) throws IOException {
    TrainConfig config = ConfigReader.read(Optional.empty(), List.of(args).subList(1, args.length));
    try (RecordLaunches recorder = new RecordLaunches(Path.of(args[0]))) {
      DType compute = Devices.compute(config.computeDtype(), recorder.device);
      if (config.task() == TaskType.SD) {
        try (DiffusionTraining kind = new DiffusionTraining(config, recorder.device, compute)) {
          recorder.training(config, kind, compute);
        }
        recorder.images(config, compute);
      } else {
        try (LlmTraining kind = new LlmTraining(config, recorder.device, compute)) {
          recorder.training(config, kind, compute);
        }
      }
    }
  }

  /** A training step of the largest batch. */
  private <B> void training(TrainConfig config, Training<B> kind, DType compute)
      throws IOException {
    Steps<B> steps = new Steps<>(kind.task(), config.gradientAccumulation(), config.epochs(), 1);
    Optimizer optimizer =
        Optimizers.named(config.optimizer(), new Hyperparameters(0.9f, 0.999f, 1e-8f, 0.01f));
    List<Slot> slots = optimizer.slots(kind.adapters());
    Graph update = Update.of(optimizer, kind.adapters(), compute, 1);
    RunGraphs graphs = RunGraphs.of(kind, steps, update, compute);
    long budget = config.memoryBudgetBytes().orElse(device.freeBytes());
    MemoryPlan memory = MemoryPlan.choose(kind, slots, device, graphs, budget, "the card's memory");
    Plan step = memory.largest().plan();
    try (AdapterState state = new AdapterState(device, kind.adapters(), compute, slots)) {
      Stream.of(step.graph(), update)
          .flatMap(g -> g.named().values().stream())
          .filter(state::holds)
          .forEach(v -> addresses.put(v.name(), state.address(v)));
      run("step", step);
      run("update", Planner.plan(update, device));
    }
  }

  /** What encodes images and captions before the first step, and what previews decode with. */
  private void images(TrainConfig config, DType compute) throws IOException {
    DiffusionBase base = DiffusionFamilies.open(Path.of(config.baseModel()));
    DType vae = Painter.vaeDtype(compute);
    int side = config.resolution();
    int latent = side / base.latentFactor();
    Map<String, Graph> graphs = new LinkedHashMap<>();
    graphs.put("encoder", DiffusionGraph.encoder(base, vae, 1, side, side));
    graphs.put("decoder", DiffusionGraph.decoder(base, vae, 1, latent, latent));
    for (Map.Entry<String, Graph> e : graphs.entrySet()) {
      run(e.getKey(), Planner.plan(e.getValue(), device));
    }
  }

  /** Op by op, each with its launches; then as users run it, first watched and then captured. */
  private void run(String name, Plan plan) throws IOException {
    try (Memory arena = device.allocate(plan.arenaBytes());
        Executor executor = new Executor(device, false)) {
      Addresses at = plan.bind(arena, this::address);
      int line = 0;
      launches();
      for (Op op : plan.ops()) {
        op.run(device, at);
        String prefix = String.join(",", name, "" + line++, op.name(), "" + bytes(op));
        launches().forEach(l -> out.println(prefix + "," + l));
      }
      executor.run(plan, at);
      executor.run(plan, at);
      launches().filter(l -> l.endsWith(",1")).forEach(l -> out.println(name + ",-1,,0," + l));
    }
    allocated.forEach(Memory::close);
    allocated.clear();
  }

  /** What was launched since it was last asked for. */
  private Stream<String> launches() throws IOException {
    device.await();
    List<String> lines = new ArrayList<>();
    for (String l = record.readLine(); l != null; l = record.readLine()) {
      if (!l.equals("wait")) {
        lines.add(l);
      }
    }
    return lines.stream();
  }

  private static long bytes(Op op) {
    return Stream.concat(op.inputs().stream(), op.outputs().stream()).mapToLong(Value::bytes).sum();
  }

  private long address(Value v) {
    return addresses.computeIfAbsent(
        v.name(),
        n -> {
          Memory memory = device.allocate(v.bytes());
          allocated.add(memory);
          return memory.address();
        });
  }

  @Override
  public void close() throws IOException {
    out.close();
    record.close();
    device.close();
  }
}
