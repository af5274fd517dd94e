package org.loranative.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.convert.GroupRecordConverter;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.hadoop.metadata.ParquetMetadata;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.io.LocalInputFile;
import org.apache.parquet.io.MessageColumnIO;
import org.apache.parquet.io.RecordReader;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type;
import org.loranative.UserException;

/** Rows of a Parquet file as named fields; what is null is absent. */
final class ParquetFile {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  /** Those that need no class of Hadoop's. */
  private static final Set<CompressionCodecName> READ =
      EnumSet.of(
          CompressionCodecName.UNCOMPRESSED,
          CompressionCodecName.SNAPPY,
          CompressionCodecName.ZSTD,
          CompressionCodecName.LZ4_RAW);

  private ParquetFile() {}

  static void read(Path file, Consumer<ObjectNode> row) throws IOException {
    try (ParquetFileReader reader = ParquetFileReader.open(new LocalInputFile(file))) {
      requireReadable(file, reader.getFooter());
      MessageType schema = reader.getFooter().getFileMetaData().getSchema();
      MessageColumnIO columns = new ColumnIOFactory().getColumnIO(schema);
      PageReadStore pages = reader.readNextRowGroup();
      while (pages != null) {
        RecordReader<Group> records =
            columns.getRecordReader(pages, new GroupRecordConverter(schema));
        for (long i = 0; i < pages.getRowCount(); i++) {
          row.accept(fields(records.read()));
        }
        pages = reader.readNextRowGroup();
      }
    }
  }

  private static void requireReadable(Path file, ParquetMetadata footer) {
    footer.getBlocks().stream()
        .flatMap(b -> b.getColumns().stream())
        .map(ColumnChunkMetaData::getCodec)
        .filter(c -> !READ.contains(c))
        .findFirst()
        .ifPresent(
            c -> {
              throw new UserException(
                  file
                      + " is compressed with "
                      + c
                      + ", which is not read; write it with snappy or zstd.");
            });
  }

  private static ObjectNode fields(Group group) {
    ObjectNode object = JSON.objectNode();
    for (Type type : group.getType().getFields()) {
      int index = group.getType().getFieldIndex(type.getName());
      int count = group.getFieldRepetitionCount(index);
      if (type.isRepetition(Type.Repetition.REPEATED)) {
        ArrayNode list = object.putArray(type.getName());
        for (int i = 0; i < count; i++) {
          value(group, index, i).ifPresent(list::add);
        }
      } else if (count > 0) {
        value(group, index, 0).ifPresent(v -> object.set(type.getName(), v));
      }
    }
    return object;
  }

  private static Optional<JsonNode> value(Group group, int index, int i) {
    Type type = group.getType().getType(index);
    LogicalTypeAnnotation logical = type.getLogicalTypeAnnotation();
    if (!type.isPrimitive()) {
      Group inner = group.getGroup(index, i);
      return Optional.of(
          logical instanceof LogicalTypeAnnotation.ListLogicalTypeAnnotation
              ? list(inner)
              : fields(inner));
    }
    return switch (type.asPrimitiveType().getPrimitiveTypeName()) {
      case BOOLEAN -> Optional.of(JSON.booleanNode(group.getBoolean(index, i)));
      case INT32 -> Optional.of(JSON.numberNode(group.getInteger(index, i)));
      case INT64 -> Optional.of(JSON.numberNode(group.getLong(index, i)));
      case FLOAT -> Optional.of(JSON.numberNode(group.getFloat(index, i)));
      case DOUBLE -> Optional.of(JSON.numberNode(group.getDouble(index, i)));
      case BINARY ->
          logical instanceof LogicalTypeAnnotation.StringLogicalTypeAnnotation
              ? Optional.of(JSON.textNode(group.getBinary(index, i).toStringUsingUTF8()))
              : Optional.empty();
      default -> Optional.empty(); // times and decimals mean nothing to us
    };
  }

  /** A list is a group of one repeated field; in most files that holds the element in its turn. */
  private static ArrayNode list(Group group) {
    ArrayNode list = JSON.arrayNode();
    Type repeated = group.getType().getType(0);
    boolean wrapped =
        !repeated.isPrimitive()
            && repeated.asGroupType().getFieldCount() == 1
            && (repeated.getName().equals("list") || repeated.getName().equals("bag"));
    for (int i = 0; i < group.getFieldRepetitionCount(0); i++) {
      if (!wrapped) {
        value(group, 0, i).ifPresent(list::add);
        continue;
      }
      Group element = group.getGroup(0, i);
      if (element.getFieldRepetitionCount(0) > 0) {
        value(element, 0, 0).ifPresent(list::add);
      }
    }
    return list;
  }
}
