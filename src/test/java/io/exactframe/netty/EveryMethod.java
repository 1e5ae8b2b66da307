package io.exactframe.netty;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.util.ByteProcessor;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channel;
import java.nio.channels.FileChannel;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Calls all that a buffer can be asked for, with arguments of several sizes, and tells what came of it. */
final class EveryMethod {
    private static final List<Method> METHODS = Arrays.stream(ByteBuf.class.getMethods())
            .filter(method -> method.getDeclaringClass() != Object.class)
            .filter(method -> !Modifier.isStatic(method.getModifiers()) && !method.isBridge())
            .sorted(Comparator.comparing(EveryMethod::name))
            .toList();

    private static final List<Integer> SIZES = List.of(0, 1, 4, 100);
    private static final List<Integer> SIZES_IF_RELEASED = List.of(0, 4); // each is an exception, which costs

    /** What tells where a buffer lies or what it is: any two differ. */
    private static final Set<String> IDENTITY =
            Set.of("unwrap", "toString", "array", "arrayOffset", "memoryAddress", "alloc");

    /** Their results have references of their own. */
    private static final Set<String> GIVING = Set.of(
            "copy", "retainedSlice", "retainedDuplicate", "readRetainedSlice", "readBytes(int)", "retain");

    private final Path file;
    private final byte[] content;

    EveryMethod(Path folder, byte[] content) {
        this.file = folder.resolve("bytes");
        this.content = content;
    }

    static String name(Method method) {
        return method.getName()
                + Arrays.stream(method.getParameterTypes())
                        .map(Class::getSimpleName)
                        .collect(Collectors.joining(", ", "(", ")"));
    }

    /** By call, with the size of its arguments: the exception's name, or if it shall be told what was returned. */
    Map<String, String> outcomes(ByteBuf buffer, boolean released) {
        Map<String, String> outcomes = new TreeMap<>();
        for (Method method : METHODS) {
            for (int size : released ? SIZES_IF_RELEASED : SIZES) {
                if (!released) {
                    if (method.getName().equals("release")) {
                        continue;
                    }
                    buffer.setBytes(0, content);
                }
                buffer.setIndex(Math.min(size, 2), content.length - Math.min(size, 5));
                outcomes.put(name(method) + " " + size, outcome(buffer, released, method, size));
            }
        }
        return outcomes;
    }

    private String outcome(ByteBuf buffer, boolean released, Method method, int size) {
        boolean needsFile = Arrays.stream(method.getParameterTypes()).anyMatch(EveryMethod::isChannel);
        try (FileChannel channel = needsFile ? open() : null) {
            Object[] arguments = Arrays.stream(method.getParameterTypes())
                    .map(type -> argument(type, size, channel))
                    .toArray();
            Object result = method.invoke(buffer, arguments);
            String told = released || IDENTITY.contains(method.getName()) ? "" : shown(result);
            if (GIVING.contains(method.getName()) || GIVING.contains(name(method))) {
                ((ByteBuf) result).release(method.getName().equals("retain") && arguments.length > 0 ? size : 1);
            }
            if (released) {
                return "returned";
            }
            return told + " for " + Arrays.stream(arguments).map(EveryMethod::shown).toList() + ", then "
                    + shown(buffer);
        } catch (InvocationTargetException e) {
            return e.getCause().getClass().getSimpleName();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }

    private static boolean isChannel(Class<?> type) {
        return Channel.class.isAssignableFrom(type);
    }

    private FileChannel open() throws IOException {
        FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        channel.write(ByteBuffer.wrap(content), 0);
        return channel;
    }

    private Object argument(Class<?> type, int size, FileChannel channel) {
        return switch (type.getSimpleName()) {
            case "int" -> size;
            case "long" -> (long) size;
            case "float" -> (float) size;
            case "double" -> (double) size;
            case "boolean" -> size == 0;
            case "byte" -> (byte) size;
            case "byte[]" -> new byte[2 * size];
            case "ByteBuf" -> Unpooled.buffer(8, 8).writeInt(7);
            case "ByteBuffer" -> ByteBuffer.allocate(size);
            case "FileChannel", "GatheringByteChannel", "ScatteringByteChannel" -> channel;
            case "InputStream" -> new ByteArrayInputStream(content);
            case "OutputStream" -> new ByteArrayOutputStream();
            case "ByteOrder" -> size == 0 ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
            case "ByteProcessor" -> (ByteProcessor) value -> value != content[7];
            case "Charset" -> US_ASCII;
            case "CharSequence" -> "text".substring(0, Math.min(size, 4));
            case "Object" -> Unpooled.wrappedBuffer(content);
            default -> throw new AssertionError("an argument for " + type);
        };
    }

    private static String shown(Object value) {
        if (value instanceof ByteBuf bytes) {
            return ByteBufUtil.hexDump(bytes, 0, bytes.capacity()) + " from " + bytes.readerIndex() + " to "
                    + bytes.writerIndex() + " of " + bytes.maxCapacity();
        } else if (value instanceof ByteBuffer bytes) {
            return ByteBufUtil.hexDump(Unpooled.wrappedBuffer(bytes)) + (bytes.isReadOnly() ? " read-only" : "");
        } else if (value instanceof ByteBuffer[] all) {
            return Arrays.stream(all).map(EveryMethod::shown).toList().toString();
        } else if (value instanceof byte[] bytes) {
            return Arrays.toString(bytes);
        } else if (value instanceof ByteArrayOutputStream out) {
            return shown(out.toByteArray());
        } else if (value instanceof InputStream || value instanceof OutputStream || value instanceof FileChannel
                || value instanceof Charset || value instanceof ByteProcessor) {
            return "";
        }
        return String.valueOf(value);
    }
}
